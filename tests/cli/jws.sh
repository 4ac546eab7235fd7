#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# jws sign and verify, alone and against OpenSSL.
# shellcheck source=tests/cli/lib.sh disable=SC2016,SC2317
. tests/cli/lib.sh

openssl genpkey -algorithm ed25519 -out "$work/ed.pem" 2>/dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/ec.pem" 2>/dev/null
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/rsa.pem" 2>/dev/null
chmod 600 "$work"/*.pem
cat >"$work/jwks.py" <<'END'
import base64, hashlib, json, subprocess, sys
b = lambda x: base64.urlsafe_b64encode(x).rstrip(b"=").decode()
keys = []
for path in sys.argv[1:]:
    der = subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
    if "ed" in path.rsplit("/")[-1]:
        jwk = {"crv": "Ed25519", "kty": "OKP", "x": b(der[-32:])}
        alg = "Ed25519"
    else:
        jwk = {"crv": "P-256", "kty": "EC", "x": b(der[-64:-32]), "y": b(der[-32:])}
        alg = "ES256"
    kid = b(hashlib.sha256(json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode()).digest()[:16])
    keys.append({**jwk, "alg": alg, "kid": kid})
print(json.dumps({"keys": keys}))
END
python3 "$work/jwks.py" "$work/ed.pem" "$work/ec.pem" >"$work/jwks.json"
python3 "$work/jwks.py" "$work/ec.pem" >"$work/ec.json"
printf '{"a":1}' >"$work/payload"

sign() {
	login jws sign --key "$work/$1.pem" --typ "$2" <"$work/payload"
}

# verify TOKEN-FILE OPTION...
verify() {
	local file=$1
	shift
	login jws verify "$@" <"$file"
}

for key in ed ec; do
	for typ in cluster-credential+jwt cluster-head+jwt cluster-node+jwt; do
		sign "$key" "$typ" >"$work/token" || case_is fail "sign $key $typ"
		expect 0 "$key $typ" verify "$work/token" --jwks "$work/jwks.json"
		holds 'the payload as it was' cmp -s "$work/out" "$work/payload"
		expect 0 'of this type' verify "$work/token" --jwks "$work/jwks.json" --typ "$typ"
		expect 1 'not of another' verify "$work/token" --jwks "$work/jwks.json" --typ cluster-root+jwt
	done
done
sign ed cluster-credential+jwt >"$work/token"
expect 1 'a key that is not in the set' verify "$work/token" --jwks "$work/ec.json"
holds 'no payload' [ ! -s "$work/out" ]

# Single characters changed, all over the token.
good=$(cat "$work/token")
accepted=0
for ((i = 0; i < ${#good}; i += 7)); do
	c=${good:i:1}
	if [ "$c" = A ]; then c=B; else c=A; fi
	printf '%s' "${good:0:i}$c${good:i+1}" >"$work/bent"
	if verify "$work/bent" --jwks "$work/jwks.json" >/dev/null 2>&1; then accepted=$((accepted + 1)); fi
done
holds 'no changed character is accepted' [ "$accepted" -eq 0 ]
printf '%s.x' "$good" >"$work/bent"
expect 1 'four parts' verify "$work/bent" --jwks "$work/jwks.json"
printf '%s=' "$good" >"$work/bent"
expect 1 'padding' verify "$work/bent" --jwks "$work/jwks.json"
printf '%s\n\n' "$good" >"$work/bent"
expect 1 'an empty line' verify "$work/bent" --jwks "$work/jwks.json"
: >"$work/bent"
expect 1 'nothing' verify "$work/bent" --jwks "$work/jwks.json"
header=$(printf '{"alg":"none","typ":"cluster-credential+jwt","kid":"x"}' | basenc --base64url -w0 | tr -d =)
printf '%s.%s.' "$header" "$(cut -d. -f2 "$work/token")" >"$work/bent"
expect 1 'alg none' verify "$work/bent" --jwks "$work/jwks.json"

# The signature is plain Ed25519 over header.payload.
openssl pkey -in "$work/ed.pem" -pubout -out "$work/ed.pub"
printf '%s' "${good%.*}" >"$work/signed"
python3 -c 'import base64, sys; s = sys.argv[1].split(".")[2]; sys.stdout.buffer.write(base64.urlsafe_b64decode(s + "=="))' "$good" >"$work/sig"
expect 0 'openssl agrees' openssl pkeyutl -verify -pubin -inkey "$work/ed.pub" -rawin -in "$work/signed" -sigfile "$work/sig"

expect 64 'sign without a key' login jws sign --typ cluster-root+jwt
expect 64 'an unknown type' login jws sign --key "$work/ed.pem" --typ cluster-tea+jwt
expect 64 'verify without keys' login jws verify
chmod 644 "$work/ed.pem"
expect 77 'a key that others can read' login jws sign --key "$work/ed.pem" --typ cluster-root+jwt
chmod 600 "$work/ed.pem"
run login jws sign --key "$work/rsa.pem" --typ cluster-root+jwt
holds 'an RSA key' [ "$status" -ne 0 ]
expect 1 'no such file' verify "$work/token" --jwks "$work/none.json"
echo '{"keys":[{"kty":"RSA"}]}' >"$work/bad.json"
expect 65 'keys that are none' verify "$work/token" --jwks "$work/bad.json"
python3 -c 'import json, sys; k = json.load(open(sys.argv[1]))["keys"]; print(json.dumps({"keys": k + k}))' "$work/jwks.json" >"$work/bad.json"
expect 65 'a kid twice' verify "$work/token" --jwks "$work/bad.json"
finish
