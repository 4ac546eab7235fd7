/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_READ_H
#define AUTHORITY_READ_H

#include "call.h"

/* What can be read: documents, the head, a person's own rights. */
call_handler read_root, read_keyset, read_head, read_object, read_me;

#endif
