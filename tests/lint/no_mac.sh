#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# No code for symmetric signatures in what verifies (THREATS B2): a public key cannot become the key of a MAC where there is no MAC. Looks at the objects of the libraries,
# the modules and the agent, and in their sources at the constants by which a MAC hides behind a general call.
set -u
problems=0
symbols='(HMAC|CMAC|EVP_MAC|Poly1305|SipHash|KMAC)(_.*)?|HMAC.*|EVP_Q_mac|EVP_PKEY_new_(mac_key|CMAC_key)|EVP_PKEY_new_raw_private_key(_ex)?'
words='EVP_PKEY_(HMAC|CMAC|POLY1305|SIPHASH)|OSSL_MAC_[A-Z_]+|"(HMAC|CMAC|KMAC-?[0-9]*|HS(256|384|512))"'

for source in lib/core/*.c lib/trust/*.c nss_cluster/*.c pam_cluster/*.c sshd_principals/*.c agent/*.c; do
	[ -f "$source" ] || continue
	object=$BUILD/${source%.c}.o
	[ -f "$object" ] || { echo "$object is not built"; problems=$((problems + 1)); continue; }
	found=$(nm --undefined-only --format=posix "$object" | awk '{ print $1 }' | grep -Ex "$symbols" | tr '\n' ' ')
	[ -z "$found" ] || { echo "$source: calls $found"; problems=$((problems + 1)); }
	found=$(grep -nE "$words" "$source") && { echo "$source: $found"; problems=$((problems + 1)); }
done
for module in "$BUILD"/libnss_cluster.so.2 "$BUILD"/pam_cluster.so "$BUILD"/cluster-agentd; do
	found=$(nm -D --undefined-only --format=posix "$module" | awk '{ sub(/@.*/, "", $1); print $1 }' | grep -Ex "$symbols" | tr '\n' ' ')
	[ -z "$found" ] || { echo "$module: imports $found"; problems=$((problems + 1)); }
done
echo "no_mac: $problems problem(s)"
[ "$problems" -eq 0 ]
