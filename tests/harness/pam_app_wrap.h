/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PAM_APP_WRAP_H
#define TESTS_PAM_APP_WRAP_H

#include <stdbool.h>
#include <stddef.h>

struct app;

/* The application whose calls the wrapped functions of this program serve, or NULL: then they are the library's own. */
extern struct app *wrap_app;
/* The reply that the module got last: watched by a program that also wraps free(). */
extern char *wrap_reply;
extern size_t wrap_reply_size;

/* Shall this call fail? Asked by every wrapped function that can; NULL: none does. */
extern bool (*wrap_fault_hook)(void);
bool wrap_fault(void);

/* Stops failures on demand while the application itself works; returns what was before. A program without failures has nothing to stop. */
extern bool (*wrap_pause_hook)(bool);
bool wrap_pause(bool pause);

#endif
