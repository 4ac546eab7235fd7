#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every shell script through shellcheck, every Python one for its syntax.
set -u
shell=()
python=()
while IFS= read -r -d '' file; do
	if [ ! -f "$file" ] || [ -L "$file" ]; then continue; fi
	first=$(head -c 64 "$file" | tr -d '\0' | head -n 1)
	case $file:$first in
	*.py:* | *:'#!'*python*) python+=("$file") ;;
	*.sh:* | *:'#!'*/sh* | *:'#!'*bash*) shell+=("$file") ;;
	esac
done < <(git ls-files -z --cached --others --exclude-standard 2>/dev/null || find . -path ./build -prune -o -type f -print0)
echo "${#shell[@]} shell, ${#python[@]} python"
status=0
shellcheck -x "${shell[@]}" || status=1
for file in "${python[@]}"; do
	python3 -c 'import sys; compile(open(sys.argv[1]).read(), sys.argv[1], "exec")' "$file" || status=1
done
exit "$status"
