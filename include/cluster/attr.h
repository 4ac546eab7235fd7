/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_ATTR_H
#define CLUSTER_ATTR_H

/* Compiler attributes, spelt once. */
#define CLUSTER_MUST_USE __attribute__((warn_unused_result))
#define CLUSTER_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define CLUSTER_EXPORT __attribute__((visibility("default")))
#define CLUSTER_PURE __attribute__((pure))

#endif
