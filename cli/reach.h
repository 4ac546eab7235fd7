/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_REACH_H
#define CLI_REACH_H

/* How long a node's own address has to take the connection, and then its ssh server to say that it is one. */
#define REACH_CONNECT_MS 500
#define REACH_BANNER_MS 1000

/*
 * The ProxyCommand of a node that has a jump host, with ProxyUseFdpass: reach ADDRESS PORT COMMAND [WORD ...]. argv[0] is ADDRESS, numeric.
 * Connects to the address and hands that very connection to ssh on descriptor 1; where no ssh server answers in time, a socket to COMMAND, which leads there another way.
 * Nothing is read from the connection: who has answered is ssh's to find out. The exit status.
 */
int reach_run(int argc, char **argv);

#endif
