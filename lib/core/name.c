/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/name.h"

#include <stddef.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define RESERVED_SIZE 24

/* Arrays, not pointers, which each process that loads a module with them would have to relocate. */
static const char reserved_nodes[][RESERVED_SIZE] = {
	"all", "any", "broadcasthost", "ip6-allnodes", "ip6-allrouters", "ip6-localhost", "ip6-localnet", "ip6-loopback", "ip6-mcastprefix",
	"leader", "localdomain", "localhost", "localhost4", "localhost6", "loopback", "none",
};

/* Names that systemd, proxy and tunnel discovery, and clouds give a meaning of their own to. */
static const char reserved_hosts[][RESERVED_SIZE] = {
	"_gateway", "_localdnsproxy", "_localdnsstub", "_outbound", "instance-data", "isatap", "metadata", "wpad",
};

static const char reserved_accounts[][RESERVED_SIZE] = {
	"_apt", "_chrony", "_flatpak", "_rpc", "abrt", "adm", "avahi", "avahi-autoipd", "backup", "bin", "chrony", "clevis", "cluster-agent",
	"cluster-authority", "cluster-fetch", "cluster-trust", "cockpit-ws", "cockpit-wsinstance", "colord", "daemon", "dbus", "dhcpcd", "dnsmasq",
	"ftp", "games", "gdm", "geoclue", "gnats", "gnome-initial-setup", "halt", "irc", "libstoragemgmt", "libvirt-qemu", "list", "lp", "lxd",
	"mail", "man", "messagebus", "news", "nobody", "ntp", "nvidia-persistenced", "operator", "pipewire", "pollinate", "polkitd", "proxy",
	"root", "rpc", "rpcuser", "rtkit", "saned", "saslauth", "setroubleshoot", "shutdown", "speech-dispatcher", "sshd", "sssd", "statd", "sync",
	"sys", "syslog", "tcpdump", "toor", "tss", "unbound", "usbmux", "uucp", "uuidd", "www-data",
};

static const char reserved_groups[][RESERVED_SIZE] = {
	"_ssh", "adm", "admin", "audio", "avahi", "backup", "bin", "bluetooth", "cdrom", "chrony", "cluster-agent", "cluster-authority", "cockpit-ws",
	"crontab", "daemon", "dbus", "dialout", "dip", "disk", "docker", "fax", "floppy", "ftp", "fuse", "games", "gnats", "i2c", "incus",
	"incus-admin", "input", "irc", "kmem", "kvm", "libvirt", "libvirt-qemu", "list", "lp", "lpadmin", "lxd", "mail", "man", "mem", "messagebus",
	"mock", "netdev", "news", "nobody", "nogroup", "ntp", "operator", "pcap", "pkcs11", "plugdev", "podman", "polkitd", "postdrop", "postfix",
	"printadmin", "proxy", "pulse-access", "render", "root", "rpc", "sambashare", "sasl", "scanner", "sgx", "shadow", "src", "ssh_keys", "sshd",
	"ssl-cert", "sssd", "staff", "sudo", "sudoers", "sync", "sys", "syslog", "tape", "tcpdump", "tss", "tty", "users", "utempter", "utmp",
	"uucp", "uuidd", "vboxsf", "vboxusers", "video", "voice", "wheel", "wireshark", "www-data",
};

static bool listed(const char *s, const char (*list)[RESERVED_SIZE], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[0] == list[i][0] && strcmp(s, list[i]) == 0)
			return true;
	return false;
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Length 1..max, and every byte a lower-case letter, a digit, or one of `more`; capitals too if asked. */
static bool made_of(const char *s, size_t max, const char *more, bool capitals)
{
	size_t n = s ? strnlen(s, max + 1) : 0;

	if (n < 1 || n > max)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_lower(s[i]) && !is_digit(s[i]) && !(capitals && s[i] >= 'A' && s[i] <= 'Z') && !strchr(more, s[i]))
			return false;
	return true;
}

bool name_account_ok(const char *s)
{
	return made_of(s, NAME_ACCOUNT_MAX, "_-", false) && (is_lower(s[0]) || s[0] == '_');
}

bool name_group_ok(const char *s)
{
	return name_account_ok(s);
}

bool name_role_ok(const char *s)
{
	return name_account_ok(s);
}

bool name_node_ok(const char *s)
{
	bool letter = false;
	size_t n;

	if (!made_of(s, NAME_NODE_MAX, "-", false))
		return false;
	n = strlen(s);
	for (size_t i = 0; i < n; i++)
		letter |= !is_digit(s[i]);
	return letter && s[0] != '-' && s[n - 1] != '-' && !listed(s, reserved_nodes, COUNT(reserved_nodes));
}

bool name_host_ok(const char *s)
{
	if (!name_node_ok(s) && (!name_role_ok(s) || (listed(s, reserved_nodes, COUNT(reserved_nodes)) && strcmp(s, "leader") != 0)))
		return false;
	return strncmp(s, "ip6-", 4) != 0 && !listed(s, reserved_hosts, COUNT(reserved_hosts));
}

bool name_kid_ok(const char *s)
{
	return made_of(s, NAME_KID_MAX, "_-", true);
}

bool name_service_ok(const char *s)
{
	return made_of(s, NAME_SERVICE_MAX, "_.-", true) && s[0] != '.';
}

bool name_person_ok(const char *s)
{
	return made_of(s, NAME_PERSON_MAX, "_.@+-", false) && (is_lower(s[0]) || is_digit(s[0]) || s[0] == '_');
}

static bool is_systemd(const char *s)
{
	return strncmp(s, "systemd-", 8) == 0;
}

bool name_account_reserved(const char *s)
{
	return s && (is_systemd(s) || listed(s, reserved_accounts, COUNT(reserved_accounts)));
}

bool name_group_reserved(const char *s)
{
	return s && (is_systemd(s) || listed(s, reserved_groups, COUNT(reserved_groups)) || listed(s, reserved_accounts, COUNT(reserved_accounts)));
}

/* One component of a path: up to the next '/' or the end. */
static bool component_ok(const char *s, size_t n)
{
	if (n == 0 || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f || s[i] == ':')
			return false;
	return true;
}

bool name_path_ok(const char *s)
{
	if (!s || s[0] != '/' || strnlen(s, NAME_PATH_MAX + 1) > NAME_PATH_MAX)
		return false;
	for (const char *p = s; *p; ) {
		size_t n = strcspn(++p, "/");

		if (!component_ok(p, n))
			return false;
		p += n;
	}
	return true;
}

/* Bytes of the well-formed UTF-8 sequence at `p` (`n` bytes are left), or 0. No surrogate, no overlong form, no C1 control. */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;

	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xc2 && p[1] < 0xa0) || (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f))
		return 0;
	if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

bool name_gecos_ok(const char *s)
{
	size_t n = s ? strnlen(s, NAME_GECOS_MAX + 1) : NAME_GECOS_MAX + 1;
	size_t step;

	if (n > NAME_GECOS_MAX)
		return false;
	for (size_t i = 0; i < n; i += step) {
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f || s[i] == ':' || s[i] == ',')
			return false;
		step = utf8_sequence((const unsigned char *)s + i, n - i);
		if (!step)
			return false;
	}
	return true;
}

bool name_id_ok(uint32_t id)
{
	return (id >= 1000 && id <= 60000) || (id >= 65536 && id <= INT32_MAX);
}
