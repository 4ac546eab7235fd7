/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRUST_JSON_FIELD_H
#define TRUST_JSON_FIELD_H

#include "cluster/json.h"
#include "cluster/moment.h"

/* Rows of a json_field table. `array` must be an array, the other destinations lvalues of the type that the row says. */
#define FIELD_STRING(member, array, grammar) { .name = (member), .kind = JSON_KIND_STRING, .dst = (array), .size = sizeof(array), .ok = (grammar) }
#define FIELD_TEXT(member, pointer, longest, grammar) { .name = (member), .kind = JSON_KIND_TEXT, .dst = &(pointer), .max = (longest), .ok = (grammar) }
#define FIELD_INT(member, i64, low, high) { .name = (member), .kind = JSON_KIND_INT, .dst = &(i64), .min = (low), .max = (high) }
#define FIELD_TIME(member, i64) FIELD_INT(member, i64, MOMENT_MIN, MOMENT_MAX)
#define FIELD_VERSION(member, i64) FIELD_INT(member, i64, 1, INT64_C(1) << 53)
#define FIELD_BOOL_OPTIONAL(member, flag) { .name = (member), .kind = JSON_KIND_BOOL, .dst = &(flag), .optional = true }
#define FIELD_OBJECT(member, pointer) { .name = (member), .kind = JSON_KIND_OBJECT, .dst = &(pointer) }
#define FIELD_ARRAY(member, pointer, least, most) { .name = (member), .kind = JSON_KIND_ARRAY, .dst = &(pointer), .min = (least), .max = (most) }
#define FIELD_COUNT(table) (sizeof(table) / sizeof(table)[0])

#endif
