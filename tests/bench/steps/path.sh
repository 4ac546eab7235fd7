# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
# Step file of tests/bench/path.sh.
PATH_ROUNDS=${PATH_ROUNDS:-100}
cast_all

# Whichever gate it was: an answer may pass the first ones just before the revocation arrives; then the session ends at once, and its ssh with it.
refused_everywhere() {
	local node
	for node in "${NODES[@]}"; do
		[[ -s $TOP/refused.$node ]] && log_since "$node" | grep -E '(result=refused reason=|ends: )revoked_person' >/dev/null || return 1
	done
}

# Milliseconds from the commit of the revocation to the last node's signed proof of it; the authority counts them.
cat >"$TOP/proved.py" <<'PYTHON'
import json, socket, sys
body = json.dumps({"version": int(sys.argv[1]), "timeout_ms": 20000}).encode()
with socket.socket(socket.AF_UNIX) as s:
    s.connect("/run/cluster-login/authority.sock")
    s.sendall(b"POST /v1/admin/wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    text = b"".join(iter(lambda: s.recv(65536), b""))
answer = json.loads(text.split(b"\r\n\r\n", 1)[1])
times = [node["ms"] for node in answer["nodes"]]
print(max(times) if answer["done"] and min(times) >= 0 else -1)
PYTHON
host_write authority /usr/local/lib/cluster-demo/proved.py <"$TOP/proved.py"

ended=() refused=() proved=()
for ((i = 0; i < PATH_ROUNDS; i++)); do
	measure_revocation
	version=$(grep -o '"version": *[0-9]*' "$TOP/revoked.json" | grep -o '[0-9]*$')
	ended+=("$ENDED")
	refused+=("$REFUSED")
	proved+=("$(host_run authority /usr/bin/python3 /usr/local/lib/cluster-demo/proved.py "$version")")
done
mkdir -p "$DEMO_REPO/build/bench"
/usr/bin/python3 - "$DEMO_REPO/build/bench/fanout.json" "${refused[*]}" "${ended[*]}" "${proved[*]}" <<'PYTHON'
import json, os, sys
path = sys.argv[1]
times = [sorted(int(word) for word in text.split()) for text in sys.argv[2:]]
row = {"system": "path", "rounds": len(times[0])}
for name, ms in zip(("refused", "session_ended", "proved"), times):
    at = min(len(ms) - 1, len(ms) * 99 // 100)
    row.update({name + "_p50_ms": ms[len(ms) // 2], name + "_p99_ms": ms[at], name + "_max_ms": ms[-1]})
    print(f"{name:14} p50 {ms[len(ms) // 2]:5d}  p99 {ms[at]:5d}  max {ms[-1]:5d} ms after the acknowledgement, {len(ms)} revocations"
          f" (bar: p99 below 100): {'met' if 0 <= ms[0] and ms[at] < 100 else 'NOT MET'}")
rows = []
if os.path.exists(path):
    with open(path, encoding="ascii") as f:
        rows = [r for r in json.load(f) if r["system"] != "path"]
with open(path, "w", encoding="ascii") as f:
    f.write("[\n" + ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows + [row]) + "\n]\n")
PYTHON
expect "of $PATH_ROUNDS revocations, all ended the session and were refused and proved everywhere" test "${#proved[@]}" -eq "$PATH_ROUNDS"
