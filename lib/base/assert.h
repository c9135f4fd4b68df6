/*
 * assert.h - CAD_ASSERT, for our own mistakes only, never for input.
 *
 * Compiled in when CAD_ASSERTS is defined (tests, fuzzing, simulation): a false condition traps at
 * once, so that a debugger or a sanitizer shows the place. Otherwise the condition is not
 * evaluated, so it must have no side effects.
 */
#ifndef CAD_BASE_ASSERT_H
#define CAD_BASE_ASSERT_H

#ifdef CAD_ASSERTS
#define CAD_ASSERT(cond) ((cond) ? (void)0 : __builtin_trap())
#else
#define CAD_ASSERT(cond) ((void)sizeof((cond) ? 1 : 0))
#endif

#endif
