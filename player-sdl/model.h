/*
 * model.h - what the session knows, as the controls want to show it.
 */
#ifndef PLAYER_MODEL_H
#define PLAYER_MODEL_H

#include "session.h"
#include "ui.h"

/* Everything of the model but title, note, sound and full screen, which are the window's.
 * The model borrows the session's list of tracks. */
void model_fill(struct ui_model *model, const struct session *session,
                const struct cad_engine_stats *stats, cad_time now);
/* What the viewer is told of a conversion, enum cad_convert_step; "" where nothing was lost. */
void model_note(uint32_t steps, const struct cad_color *color, char *out, size_t size);
/* The title's id or the last part of its path, without a query; safe to be shown. */
void model_name(const struct play_args *args, char *out, size_t size);

#endif
