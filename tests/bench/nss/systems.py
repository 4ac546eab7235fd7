# SPDX-License-Identifier: Apache-2.0
"""What is compared: where each system finds its accounts, its daemon, and a worker that looks up through it. Everything below one root: "/" in a mount
namespace, or a tree of packages."""
import os
import shutil
import subprocess
import time

KEYS = 1000  # how many accounts are looked up, over and over
SPREAD = 131072  # for what reaches beyond the caches
STATE = "/var/lib/nss-bench"
OPERATIONS = ["getpwnam", "getpwuid", "getpwnam_miss", "getgrnam", "getgrgid", "getgrouplist", "getpwent"]

# service: what nsswitch.conf calls it. most: accounts it can take. without: operations it does not have.
SYSTEMS = {
    "null": {"service": "null"},
    "map": {"service": "map"},
    "cluster": {"service": "cluster"},
    "files": {"service": "files"},
    "extrausers": {"service": "extrausers", "module": "extrausers"},
    "cache": {"service": "cache", "module": "cache"},
    "sssd": {"service": "sss", "module": "sss", "daemon": "sssd", "keys": 250, "without": {"getpwent": "does not enumerate unless told to"}},
    "nscd": {"service": "map", "daemon": "nscd", "paths": ["conf"], "without": {"getpwent": "enumeration is not cached"}},
    "systemd": {"service": "systemd", "module": "systemd", "most": 100000, "why": "a file, a link and two memberships for each account"},
    "oslogin-cache": {"service": "cache_oslogin", "module": "cache_oslogin"},
}
OURS = ["null", "map", "cluster"]

NOTES = {
    "nscd": "glibc asks it before it looks at nsswitch.conf, and not at all where services are pinned: conf only; behind it stands the map module",
    "sssd": "id_provider proxy over the map module; 250 keys, since filling its memory cache takes so long; times to live of a day",
    "cache": "with sorted indexes by name and id",
    "oslogin-cache": "the Debian package reads its cache line by line",
    "systemd": "drop-in records, no userdbd",
}

SSSD_CONF = """[sssd]
services = nss
domains = bench
[nss]
filter_users = root
filter_groups = root
memcache_timeout = 86400
memcache_size_passwd = 64
memcache_size_group = 64
memcache_size_initgroups = 64
[domain/bench]
id_provider = proxy
proxy_lib_name = map
auth_provider = none
access_provider = permit
entry_cache_timeout = 86400
"""

NSCD_CONF = "".join(f"""enable-cache {d} yes
positive-time-to-live {d} 86400
negative-time-to-live {d} 86400
suggested-size {d} 20011
check-files {d} no
persistent {d} no
shared {d} yes
max-db-size {d} 536870912
""" for d in ("passwd", "group")) + "enable-cache hosts no\nenable-cache services no\nenable-cache netgroup no\nreload-count unlimited\n"


def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


def link(target, path):
    if os.path.lexists(path):
        os.unlink(path)
    os.symlink(target, path)


class Place:
    """The root, and in it everything of one number of accounts."""

    def __init__(self, root, build):
        self.root = root
        self.build = build
        self.bench = f"{build}/tests/bench/nss"
        self.in_tree = root != "/"
        self.daemons = []
        run("mount", "--make-rprivate", "/")
        self.libdir = f"{STATE}/lib"
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C"}
        if self.in_tree:
            self.libdir = os.path.dirname(next(self.find("libnss_files.so.2", "libnss_compat.so.2")))
            self.prepare_tree()
        else:
            self.environment["LD_LIBRARY_PATH"] = self.libdir

    def path(self, name):
        return self.root.rstrip("/") + name

    def find(self, *names):
        for d in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/lib64"):
            for name in names:
                if os.path.exists(self.path(f"{d}/{name}")):
                    yield f"{d}/{name}"

    def prepare_tree(self):
        """What does not depend on the accounts. The tree is ours to change."""
        self.put_modules()
        for name in ("passwd", "group"):
            link(f"{STATE}/{name}", self.path(f"/etc/{name}.cache"))
            link(f"{STATE}/{name}", self.path(f"/etc/oslogin_{name}.cache"))
            for index in ("ixname", "ixuid" if name == "passwd" else "ixgid"):
                link(f"{STATE}/{name}.{index}", self.path(f"/etc/{name}.cache.{index}"))
        link(f"{STATE}/userdb", self.path("/etc/userdb"))
        write(self.path("/etc/nsswitch.conf"), "passwd: files map\ngroup: files map\n")
        write(self.path("/etc/sssd/sssd.conf"), SSSD_CONF, 0o600)
        write(self.path("/etc/nscd.conf"), NSCD_CONF)
        run("mount", "-t", "proc", "proc", self.path("/proc"))
        run("mount", "--bind", "/dev", self.path("/dev"))
        run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", self.path("/run"))
        os.makedirs(self.path("/run/nscd"))

    def put_modules(self):
        os.makedirs(self.path(self.libdir), exist_ok=True)
        for source, name in ((f"{self.build}/libnss_cluster.so.2", "cluster"), (f"{self.bench}/lib_map.so", "map"), (f"{self.bench}/lib_null.so", "null")):
            shutil.copy(source, self.path(f"{self.libdir}/libnss_{name}.so.2"))
        if self.in_tree:
            run("chroot", self.root, "ldconfig")

    def populate(self, accounts, peers):
        """The accounts in all formats; returns what building accounts.snap took, as text."""
        state, lib = self.path(STATE), self.path("/var/lib")
        sss = f"{lib}/sss"
        kept = os.path.isdir(sss) and not os.path.ismount(lib)
        if kept:
            shutil.copytree(sss, f"{self.root}/sss.kept", dirs_exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", "mode=0755,size=90%", "tmpfs", lib)
        if self.in_tree and os.path.isdir(f"{self.root}/sss.kept"):
            shutil.copytree(f"{self.root}/sss.kept", sss)
        os.makedirs(state)
        userdb = ["userdb"] if "systemd" in peers and accounts <= SYSTEMS["systemd"]["most"] else []
        built = subprocess.run([f"{self.bench}/accounts", str(accounts), state, str(SPREAD)] + userdb, check=True, stdout=subprocess.PIPE, text=True).stdout
        os.rename(f"{state}/cluster-login", f"{lib}/cluster-login")
        os.makedirs(f"{lib}/extrausers")
        for name in ("passwd", "group"):
            os.link(f"{state}/{name}", f"{lib}/extrausers/{name}")
        shutil.copy(f"{self.bench}/worker", f"{state}/worker")
        if not self.in_tree:
            self.put_modules()
        return built

    def clear(self):
        for p in self.daemons:
            p.terminate()
        for p in self.daemons:
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.daemons = []
        run("umount", "-l", self.path("/var/lib"))

    def has(self, system):
        module = SYSTEMS[system].get("module")
        daemon = SYSTEMS[system].get("daemon")
        return (not module or any(True for _ in self.find(f"libnss_{module}.so.2"))) and (not daemon or os.path.exists(self.path(f"/usr/sbin/{daemon}")))

    def start(self, daemon):
        """Starts it and waits for its socket. False: it does not come."""
        command, socket = {"sssd": (["sssd", "-i"], "/var/lib/sss/pipes/nss"), "nscd": (["nscd", "-F"], "/run/nscd/socket")}[daemon]
        with open(f"build/bench/{daemon}.log", "w", encoding="utf-8") as log:
            p = subprocess.Popen(["chroot", self.root] + command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.daemons.append(p)
        for _ in range(300):
            if os.path.exists(self.path(socket)):
                return True
            if p.poll() is not None:
                return False
            time.sleep(0.1)
        return False


ENTER = """set -e
mount --bind "$conf" "$root/etc/nsswitch.conf"
[ "$system" = nscd ] || { mkdir -p "$root/run/nscd"; mount -t tmpfs none "$root/run/nscd"; }
if [ "$system" = files ]; then
	mount --bind "$root$state/passwd" "$root/etc/passwd"
	mount --bind "$root$state/group" "$root/etc/group"
fi
exec chroot "${root:-/}" "$state/worker" "$state/keys" "$path" "$service" 0 "$keys"
"""


class Worker:
    """A process that looks up through one system, on one path."""

    def __init__(self, place, system, path, keys=None):
        service = SYSTEMS[system]["service"]
        self.keys = keys = SYSTEMS[system].get("keys", KEYS) if keys is None else keys
        conf = place.path(f"{STATE}/nsswitch.{service}")
        write(conf, f"passwd: {service}\ngroup: {service}\n")
        environment = dict(place.environment, conf=conf, root=place.root.rstrip("/"), system=system, state=STATE, path=path, service=service, keys=str(keys))
        self.system, self.path = system, path
        self.process = subprocess.Popen(["unshare", "-m", "sh", "-c", ENTER], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        """Numbers. EOFError: it is gone."""
        try:
            self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        if not line:
            raise EOFError(f"{self.system} ({self.path}): its worker ended with {self.process.wait()}")
        return [int(n) for n in line.split()]

    def close(self):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()
