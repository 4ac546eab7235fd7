/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of this thread's CPU a decision costs, from the conversation's return to pam_authenticate's, over 10,000 people and 10,000 revocations. The bar: p99 of 200 below 2 ms.
 * Prints p50 and p99 and writes build/bench/pam.json. Exit status 1 above the bar.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "pam_app.h"
#include "pam_app_wrap.h"

#define PEOPLE 10000
#define REVOCATIONS 10000
#define ROUNDS 200
#define BAR_US 2000.0

static struct app a;
static double began;

static double thread_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct cluster_id numbered(uint8_t kind, uint32_t n)
{
	struct cluster_id id = world_id(kind, 0);

	memcpy(id.b + 4, &n, sizeof n);
	return id;
}

/* A crowd besides the world's own people, each with a role and a grant; and revocations of as many credentials. */
static void grow(struct world *w)
{
	struct directory_person *people = calloc(PEOPLE + WORLD_PEOPLE, sizeof *people);
	struct directory_device *devices = calloc(PEOPLE, sizeof *devices);
	struct directory_grant *grants = calloc(PEOPLE + WORLD_GRANTS, sizeof *grants);
	struct revoke_entry *entries = calloc(REVOCATIONS, sizeof *entries);
	static char *any[] = { (char *)(uintptr_t) "any" };

	if (!people || !devices || !grants || !entries)
		abort();
	memcpy(people, w->people, sizeof w->people[0] * WORLD_PEOPLE);
	memcpy(grants, w->grants, sizeof w->grants[0] * WORLD_GRANTS);
	for (uint32_t i = 0; i < PEOPLE; i++) {
		struct directory_person *p = &people[WORLD_PEOPLE + i];

		p->id = numbered('P', i);
		snprintf(p->name, sizeof p->name, "person%u", i);
		devices[i].id = numbered('D', i);
		memcpy(devices[i].jkt, w->devices[0].jkt, sizeof devices[i].jkt);
		p->devices = &devices[i];
		p->n_devices = 1;
		p->roles = w->people[WORLD_CAROL].roles;
		p->n_roles = 1;
		grants[WORLD_GRANTS + i] = w->grants[WORLD_GRANT_ALICE];
		grants[WORLD_GRANTS + i].id = numbered('G', i);
		grants[WORLD_GRANTS + i].person = p->id;
		grants[WORLD_GRANTS + i].nodes = any;
	}
	for (uint32_t i = 0; i < REVOCATIONS; i++) {
		struct cluster_id id = numbered('J', i);

		entries[i] = (struct revoke_entry){ .kind = REVOKE_CREDENTIAL, .seq = i + 1, .iat = w->now, .until = w->now + 86400, .value = malloc(ID_TEXT + 1) };
		if (!entries[i].value)
			abort();
		id_text(&id, entries[i].value);
	}
	w->dir.people = people;
	w->dir.n_people = PEOPLE + WORLD_PEOPLE;
	w->dir.grants = grants;
	w->dir.n_grants = PEOPLE + WORLD_GRANTS;
	w->revocations.entry = entries;
	w->revocations.n = REVOCATIONS;
}

/* The conversation is told when it returns by the pause that it takes. */
static bool mark(bool pause)
{
	if (!pause)
		began = thread_us();
	return false;
}

static int compare(const void *x, const void *y)
{
	double d = *(const double *)x - *(const double *)y;

	return (d > 0) - (d < 0);
}

static double one(void)
{
	pam_handle_t *h;
	double us;

	app_forget(&a);
	h = app_start(&a, "sshd", "emr-user");
	if (pam_authenticate(h, (int)PAM_SILENT) != PAM_SUCCESS) {
		fprintf(stderr, "refused: %s\n", a.log);
		exit(1);
	}
	us = thread_us() - began;
	app_end(h);
	return us;
}

int main(void)
{
	const char *build = getenv("BUILD");
	double us[ROUNDS], p50, p99;
	char path[400];
	FILE *out;

	app_init(&a);
	grow(&a.w);
	app_store(&a);
	wrap_pause_hook = mark;
	one();
	for (int i = 0; i < ROUNDS; i++)
		us[i] = one();
	app_done(&a);
	qsort(us, ROUNDS, sizeof us[0], compare);
	p50 = us[ROUNDS / 2];
	p99 = us[ROUNDS * 99 / 100];
	printf("pam_cluster, conversation to decision, thread CPU, %d people, %d revocations, %d rounds: p50 %.0f us, p99 %.0f us (bar %.0f us)\n", PEOPLE, REVOCATIONS, ROUNDS, p50,
	    p99, BAR_US);
	snprintf(path, sizeof path, "%s/bench", build);
	mkdir(path, 0755);
	snprintf(path, sizeof path, "%s/bench/pam.json", build);
	out = fopen(path, "we");
	if (!out)
		return 1;
	fprintf(out, "{\"people\":%d,\"revocations\":%d,\"rounds\":%d,\"p50_us\":%.1f,\"p99_us\":%.1f,\"bar_us\":%.1f}\n", PEOPLE, REVOCATIONS, ROUNDS, p50, p99, BAR_US);
	fclose(out);
	return p99 < BAR_US ? 0 : 1;
}
