/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_COMMAND_SECRET_H
#define CLI_COMMAND_SECRET_H

#define COMMAND_SECRET_MAX 127

/*
 * A secret word of the command line, such as an invitation's code, as a copy that lives as long as the process; what stood in argv is overwritten, because ps shows that to everybody.
 * "-": a line of standard input instead, on a terminal after a question and without echo. NULL: there is none, or it is too long.
 */
const char *command_secret(const char *what, char *word);

#endif
