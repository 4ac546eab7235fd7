#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# join --configure and leave on this system's own files, in a mount namespace where /etc, /usr and /var are copies that nobody else sees.
# shellcheck source=tests/cli/lib.sh disable=SC2016,SC2317
if [ "${1-}" != inside ]; then
	exec unshare -m --propagation private "$0" inside
fi
. tests/cli/lib.sh
trap 'umount -l /etc /usr /var "$work/over" 2>/dev/null; cleanup' EXIT

mkdir "$work/over"
mount -t tmpfs tmpfs "$work/over" || { echo 'Bail out! no tmpfs'; exit 1; }
for folder in etc usr var; do
	mkdir "$work/over/$folder" "$work/over/$folder.work"
	mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$work/over/$folder,workdir=$work/over/$folder.work" "/$folder" || { echo 'Bail out! no overlay'; exit 1; }
done
mount -t tmpfs tmpfs /run
libdir=/usr/lib/$(gcc -print-multiarch)
install -D -m 644 "$BUILD/pam_cluster.so" "$libdir/security/pam_cluster.so"
install -D -m 644 "$BUILD/libnss_cluster.so.2" "$libdir/libnss_cluster.so.2"
install -D -m 755 "$BUILD/cluster-login-principals" /usr/libexec/cluster-login/cluster-login-principals
useradd --system --no-create-home cluster-principals
rm -rf /var/lib/cluster-login /etc/cluster-login

# What the files are: names, modes and contents.
picture() {
	find /etc /var/lib/pam /var/lib/cluster-login -xdev ! -path '/etc/ssh/ssh_host*' -printf '%p %m %u %g %l\n' 2>/dev/null | sort
	find /etc /var/lib/pam -xdev -type f -exec sha256sum {} + | sort -k 2
}

authority_new prod
authority_start prod
new_token() {
	admin node token "$@" --json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])'
}
address=192.0.2.1
join() {
	login join "$url" --pin "$pin" --token "$token" --name "$name" --address "$address" --configure "$@"
}
ssh-keygen -A >/dev/null
name=master-1-1

# ---- what is missing is said before the token is spent ----
token=$(new_token --role master)
userdel cluster-principals
expect 78 'without the user of the principals command' join
says err 'no user cluster-principals' 'says who is missing'
useradd --system --no-create-home cluster-principals
picture >"$work/before"
rm -f /usr/share/pam-configs/cluster-login
expect 78 'without the PAM profile' join
says err 'pam-configs/cluster-login' 'says what is missing'
install -D -m 644 packaging/pam-configs/cluster-login /usr/share/pam-configs/cluster-login
echo 'NoSuchKeyword yes' >/etc/ssh/sshd_config.d/00-broken.conf
expect 78 'sshd is broken already' join
says err 'before any change' 'says so'
rm /etc/ssh/sshd_config.d/00-broken.conf
echo 'TrustedUserCAKeys /etc/ssh/ca.pub' >/etc/ssh/sshd_config.d/50-site.conf
expect 78 'sshd trusts another CA' join
says err 'trusts the user CAs of /etc/ssh/ca.pub already' 'says so'
rm /etc/ssh/sshd_config.d/50-site.conf
mv /usr/libexec/cluster-login/cluster-login-principals "$work/principals"
expect 78 'without the principals command' join
says err 'cluster-login-principals is missing' 'says what is missing'
mv "$work/principals" /usr/libexec/cluster-login/cluster-login-principals
expect 78 'an adopted name that is none' join --adopt 'No Name'
picture >"$work/after"
holds 'nothing was changed' diff "$work/before" "$work/after"

# ---- sshd would do something else: everything back, byte for byte, and the machine has joined ----
echo 'PasswordAuthentication yes' >/etc/ssh/sshd_config.d/00-site.conf
picture >"$work/before"
expect 78 'a setting that wins over ours' join
says err 'passwordauthentication yes' 'names it'
says err 'join --configure' 'names the way on'
picture | grep -v cluster-login >"$work/after"
holds 'put back' diff "$work/before" "$work/after"
holds 'no sshd file of ours' [ ! -e /etc/ssh/sshd_config.d/10-cluster-login.conf ]
holds 'no ssh file of ours' [ ! -e /etc/ssh/ssh_config.d/10-cluster-login.conf ]
holds 'no configuration of ours' [ ! -e /etc/cluster-login ]
holds 'the token was not in vain' [ -e /var/lib/cluster-login/enrolled ]
expect 78 'again' login join --configure
rm /etc/ssh/sshd_config.d/00-site.conf

# ---- and in earnest ----
picture | grep -v cluster-login >"$work/before"
expect 0 'join --configure on a machine that has joined' login join --configure --adopt ecs-user,emr-user
for line in 'passwd:.*files cluster' 'group:.*files cluster' 'hosts:.*files cluster'; do
	holds "nsswitch.conf has $line" grep -q "^$line" /etc/nsswitch.conf
done
for file in auth account session password; do
	holds "common-$file has the module" grep -q pam_cluster.so "/etc/pam.d/common-$file"
done
holds 'home directories are made' grep -q pam_mkhomedir.so /etc/pam.d/common-session
holds 'adopted accounts' grep -qx 'adopt = ecs-user emr-user' /etc/cluster-login/node.conf
run /usr/sbin/sshd -T
says out '^kbdinteractiveauthentication yes' 'sshd asks'
says out '^passwordauthentication no' 'sshd takes no password'
says out '^usepam yes' 'sshd uses PAM'
says out '^trustedusercakeys /var/lib/cluster-login/user_ca$' 'sshd trusts the CAs of the cluster'
says out '^authorizedprincipalscommand /usr/libexec/cluster-login/cluster-login-principals %u %t %k$' 'and asks what their certificates may open'
says out '^authorizedprincipalscommanduser cluster-principals$' 'as nobody special'
says out '^authorizedprincipalsfile none$' 'and no file, which any node could have a certificate for'
# A site's own lines before and behind ours, and ours end with our file.
forwarding_of() {
	/usr/sbin/sshd -T -C "user=$1,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22,rdomain=" | grep -E '^(allowtcpforwarding|allowstreamlocalforwarding|allowagentforwarding|x11forwarding|disableforwarding|maxsessions) ' | sort | xargs
}
printf 'MaxSessions 7\n' >/etc/ssh/sshd_config.d/90-site.conf
run forwarding_of daemon
says out '^allowagentforwarding yes allowstreamlocalforwarding yes allowtcpforwarding yes disableforwarding no maxsessions 7 x11forwarding yes$' 'forwarding as ever, where there is no group no-forwarding'
cp -p /etc/group "$work/group"
echo 'no-forwarding:x:64123:daemon' >>/etc/group
run forwarding_of daemon
says out '^allowagentforwarding no allowstreamlocalforwarding no allowtcpforwarding no disableforwarding yes maxsessions 7 x11forwarding no$' 'none for a member, and the lines behind apply to him too'
run forwarding_of root
says out '^allowagentforwarding yes .*maxsessions 7 x11forwarding yes$' 'and not to him alone'
rm /etc/ssh/sshd_config.d/90-site.conf
printf 'Host master-1-1\n    GlobalKnownHostsFile "/var/lib/cluster-login/known_hosts"\n' >/var/lib/cluster-login/ssh_config
run ssh -G -F /etc/ssh/ssh_config master-1-1
says out '^globalknownhostsfile /var/lib/cluster-login/known_hosts$' 'ssh reads what the agent writes'
expect 78 'configured twice' login join --configure
run login doctor
says out '^NSS +ok' 'doctor: NSS'
says out '^NSS hosts +ok' 'doctor: hosts'
says out '^PAM +ok' 'doctor: PAM'
says out '^PAM order +ok' 'doctor: order'
says out '^sshd +ok' 'doctor: sshd'
says out '^sudo +ok' 'doctor: sudo'
printf 'Defaults:%%sudo targetpw\n' >/etc/sudoers.d/50-site
run login doctor
says out '^sudo +no .*targetpw' 'doctor: sudo asks for another user'
rm /etc/sudoers.d/50-site
dropin=/etc/ssh/sshd_config.d/10-cluster-login.conf
cp -p $dropin "$work/dropin"
sed -i '/^Match/,$d' "$dropin"
run login doctor
says out '^sshd +no .*no-forwarding' 'doctor: a file that does not know the group'
sed -i 's/^no-forwarding:.*/no-forwarding:x:64123:/' /etc/group
run login doctor
says out '^sshd +ok' 'doctor: which is nothing where nobody is in it'
cp -p "$work/group" /etc/group
cp -p "$work/dropin" $dropin
sed -i '/^AuthorizedPrincipals/d' $dropin
run login doctor
says out '^sshd +no .*without asking' 'doctor: a trusted CA without the principals command'
cp -p "$work/dropin" $dropin
printf 'Match User root\n    AuthorizedPrincipalsCommand none\n' >/etc/ssh/sshd_config.d/90-site.conf
run login doctor
says out '^sshd +no .*for root.*without asking' 'doctor: not for root'
rm /etc/ssh/sshd_config.d/90-site.conf
sed -i 's,^AuthorizedPrincipalsFile.*,AuthorizedPrincipalsFile /etc/ssh/principals/%u,' $dropin
run login doctor
says out '^sshd +no .*authorizedprincipalsfile' 'doctor: principals beside the command'
sed -i '/^AuthorizedPrincipals/d' $dropin
sed -i '/^TrustedUserCAKeys/d' $dropin
run login doctor
says out '^sshd +no .*certificates do not work' 'doctor: no CA'
cp -p "$work/dropin" $dropin

# ---- leave ----
expect 0 'leave' login leave
picture | grep -v 'var/lib/cluster-login' >"$work/after"
holds 'byte for byte as before' diff "$work/before" "$work/after"
holds 'no state is left' [ ! -e /var/lib/cluster-login ]

# ---- files that somebody has changed meanwhile ----
admin node remove master-1-1 >/dev/null
token=$(new_token --role master)
expect 0 'join with everything at once' join
echo '# by hand' >>/etc/nsswitch.conf
echo 'max_stale = 60s' >>/etc/cluster-login/node.conf
expect 0 'leave' login leave
says err 'node.conf was changed since' 'names what stays'
holds 'the line by hand stays' grep -q '^# by hand' /etc/nsswitch.conf
holds 'our word is gone' bash -c '! grep -q cluster /etc/nsswitch.conf'
holds 'the edited node.conf stays' grep -q max_stale /etc/cluster-login/node.conf
holds 'PAM is as before' bash -c '! grep -q pam_cluster /etc/pam.d/common-*'
admin node remove master-1-1 >/dev/null
token=$(new_token --role master)
expect 78 'adopt with a node.conf that is there' join --adopt ecs-user
expect 0 'without' join
holds 'it is kept' grep -q max_stale /etc/cluster-login/node.conf
echo 'auth optional pam_warn.so' >>/etc/pam.d/common-auth
expect 0 'leave with an edited PAM file' login leave
holds 'the module is gone' bash -c '! grep -q pam_cluster /etc/pam.d/common-*'
holds 'the edit is not' grep -q pam_warn /etc/pam.d/common-auth
finish
