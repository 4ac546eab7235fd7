/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_VERSION_H
#define AUTHORITY_VERSION_H

#ifdef CLUSTER_VERSION
#define VERSION_TEXT CLUSTER_VERSION
#else
#define VERSION_TEXT "0.1"
#endif

#endif
