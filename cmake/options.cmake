# Two interface targets: cad_sanitizers (how to instrument) and cad_options (that, the warnings, the
# language and the include path), which everything of this project is compiled with.

add_library(cad_sanitizers INTERFACE)
if(CAD_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "CAD_FUZZ needs clang: cmake --preset fuzz, or -DCMAKE_C_COMPILER=clang")
    endif()
    target_compile_options(cad_sanitizers INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(CAD_FUZZ OR CAD_SANITIZE)
    set(cad_sanitize_flags -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_compile_options(cad_sanitizers INTERFACE ${cad_sanitize_flags})
    target_link_options(cad_sanitizers INTERFACE ${cad_sanitize_flags})
endif()

add_library(cad_options INTERFACE)
target_link_libraries(cad_options INTERFACE cad_sanitizers)
target_include_directories(cad_options INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/lib)
target_compile_options(cad_options INTERFACE
    -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
    -Wpointer-arith -Werror)
if(CAD_ASSERTS)
    target_compile_definitions(cad_options INTERFACE CAD_ASSERTS=1)
endif()
