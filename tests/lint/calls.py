#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Calls that a part must not make, and why: see THREATS A3, A9, E2, E10, F1, F3, F5, I6 and the house rules."""
import re

from lib_source import c_files, code, finish, read, unit_of

ALL = "core trust net nss pam principals agent authority cli"
IN_PROCESS = "core trust nss pam"  # runs inside other people's programs
# (functions, units, files that may)
RULES = [
    ("system popen gets sprintf vsprintf strcpy strcat stpcpy strtok mktemp tmpnam tempnam alloca rand srand random", ALL, ""),
    ("atoi atol atoll strtol strtoll strtoul strtoull sscanf strtod atof", ALL, ""),
    ("getenv secure_getenv setenv putenv environ", IN_PROCESS + " net", "lib/core/log.c"),
    ("unsetenv clearenv", IN_PROCESS, ""),
    ("fork vfork clone execl execlp execle execv execve execvp execvpe posix_spawn posix_spawnp", IN_PROCESS + " net", ""),
    ("setlocale newlocale uselocale openlog closelog setlogmask", IN_PROCESS + " net", "lib/core/log.c"),
    ("assert abort exit _exit quick_exit raise", IN_PROCESS + " net", ""),
    ("signal sigaction sigprocmask alarm setitimer umask chdir setuid seteuid setresuid setgid initgroups", IN_PROCESS + " net", ""),
    ("localtime localtime_r gmtime gmtime_r mktime timegm strptime strftime ctime asctime", ALL, ""),
    ("pam_set_item pam_get_authtok", "pam", ""),
    ("socket connect getaddrinfo gethostbyname syslog vsyslog", "core trust nss", "lib/core/log.c lib/trust/agent_msg.c"),
    ("getpwnam getpwnam_r getpwuid getpwuid_r getgrnam getgrnam_r getgrgid getgrgid_r getgrouplist", "core trust nss", "lib/core/local.c"),
    ("pthread_create pthread_atfork pthread_key_create pthread_mutex_lock", "core trust nss pam", ""),
]


def main():
    problems = []
    for path in c_files():
        unit = unit_of(path)
        if not unit:
            continue
        lines = code(read(path)).split("\n")
        for names, units, may in RULES:
            if unit not in units.split() or path in may.split():
                continue
            pattern = re.compile(r"(?<![\w.>])(" + "|".join(names.split()) + r")\s*\(")
            for number, line in enumerate(lines, 1):
                for m in pattern.finditer(line):
                    problems.append(f"{path}:{number}: {m.group(1)}() is not called in {unit}")
    finish("calls", problems)


main()
