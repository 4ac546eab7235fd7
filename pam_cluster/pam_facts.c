/* SPDX-License-Identifier: Apache-2.0 */
#include "pam_facts.h"

#include <string.h>
#include <unistd.h>

#include <security/pam_ext.h>

#include "cluster/name.h"

static const char *text_item(pam_handle_t *pamh, int type)
{
	const void *item = NULL;

	if (pam_get_item(pamh, type, &item) != PAM_SUCCESS || !item)
		return "";
	return item;
}

/* An address and nothing else: no name, no network. */
static bool take_address(const char *text, size_t n, char dst[PAM_FACTS_SOURCE_MAX + 1])
{
	if (n == 0 || n > PAM_FACTS_SOURCE_MAX)
		return false;
	memcpy(dst, text, n);
	dst[n] = '\0';
	if (!strchr(dst, '/') && credential_source_ok(dst))
		return true;
	dst[0] = '\0';
	return false;
}

static void find_source(struct pam_facts *f, pam_handle_t *pamh)
{
	const char *connection = pam_getenv(pamh, "SSH_CONNECTION");

	f->source[0] = '\0';
	if (connection && take_address(connection, strcspn(connection, " "), f->source))
		return;
	take_address(f->rhost, strlen(f->rhost), f->source);
}

enum policy_class pam_facts_class(const struct node_conf *node, const char *service, bool root)
{
	if (node_conf_listed(&node->login_services, service))
		return POLICY_LOGIN;
	if (node_conf_listed(&node->sudo_services, service))
		return POLICY_SUDO;
	if (node_conf_listed(&node->job_services, service))
		return POLICY_JOB;
	if (strcmp(service, "su") == 0 || strcmp(service, "su-l") == 0)
		return root ? POLICY_JOB : POLICY_SUDO;
	return POLICY_LOGIN;
}

bool pam_facts_user(struct pam_facts *f, pam_handle_t *pamh, const struct pam_conf *conf)
{
	memset(f, 0, sizeof *f);
	f->user = f->service = f->rhost = f->tty = f->ruser = "";
	f->class = POLICY_LOGIN;
	if (pam_get_user(pamh, &f->user, NULL) != PAM_SUCCESS || !f->user) {
		f->user = "";
		return false;
	}
	identity_init(&f->who, f->user, conf->args.passwd);
	return true;
}

void pam_facts_rest(struct pam_facts *f, pam_handle_t *pamh, const struct pam_conf *conf)
{
	f->service = text_item(pamh, PAM_SERVICE);
	f->rhost = text_item(pamh, PAM_RHOST);
	f->tty = text_item(pamh, PAM_TTY);
	f->ruser = text_item(pamh, PAM_RUSER);
	find_source(f, pamh);
	if (conf->node)
		f->class = pam_facts_class(conf->node, f->service, getuid() == 0);
	identity_rest(&f->who, conf->node ? &conf->node->adopt : NULL);
}
