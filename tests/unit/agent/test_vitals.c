/* SPDX-License-Identifier: Apache-2.0 */
/* Warnings at half of the bound, once each (THREATS.md H3), and metrics that a strict reader of Prometheus' text format takes. */
#include "unit.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/log.h"
#include "cluster/wr.h"

#include "vitals.h"

#define NOW INT64_C(1800000000)
#define BOOT INT64_C(50000)
#define LIMIT 900

static int levels[16];
static char lines[16][400];
static size_t n_lines;

static void record(int level, const char *line)
{
	assert_true(n_lines < 16);
	levels[n_lines] = level;
	snprintf(lines[n_lines++], sizeof lines[0], "%s", line);
}

static struct trust node(void)
{
	struct trust t;

	memset(&t, 0, sizeof t);
	t.self.max_stale = LIMIT;
	t.self.skew = 30;
	t.self.revocations_version = 7;
	t.fresh = (struct snap_fresh){ .generation = 3, .head_version = 41, .head_iat = NOW, .newest_iat = NOW, .boot_time = BOOT };
	return t;
}

static bool look(struct vitals *v, const struct trust *t, int64_t wall, int64_t boot)
{
	const struct moment now = { .wall = NOW + wall, .boot = BOOT + boot };

	return vitals_look(v, t, &now);
}

static void test_once_per_crossing(void **state)
{
	const struct trust t = node();
	struct node_conf conf;
	struct vitals v;
	int i;

	(void)state;
	n_lines = 0;
	node_conf_init(&conf);
	vitals_init(&v, &conf, "1.0", record);
	(void)look(&v, NULL, 0, 0);
	assert_false(v.m.fresh);
	(void)look(&v, &t, 10, 10);
	(void)look(&v, &t, LIMIT / 2, LIMIT / 2);
	assert_int_equal(n_lines, 0);
	for (i = 1; i < 30; i++)
		(void)look(&v, &t, LIMIT / 2 + i, LIMIT / 2 + i);
	assert_int_equal(n_lines, 1);
	assert_int_equal(levels[0], LOG_LEVEL_WARNING);
	assert_non_null(strstr(lines[0], "7m 31s old"));
	assert_non_null(strstr(lines[0], "at 15m 0s"));
	assert_true(v.m.fresh);
	for (i = 1; i < 30; i++)
		(void)look(&v, &t, LIMIT + i, LIMIT + i);
	assert_int_equal(n_lines, 2);
	assert_int_equal(levels[1], LOG_LEVEL_ERROR);
	assert_non_null(strstr(lines[1], "lets no cluster people in"));
	assert_false(v.m.fresh);
	(void)look(&v, &t, 5, 5);
	(void)look(&v, &t, 6, 6);
	assert_int_equal(n_lines, 3);
	assert_int_equal(levels[2], LOG_LEVEL_NOTICE);
	(void)look(&v, &t, -31, 7); /* the clock went back: said too */
	assert_int_equal(n_lines, 4);
	assert_non_null(strstr(lines[3], "newest signed time"));
	assert_false(look(&v, &t, -31, 8)); /* the metrics: when something was said, and each 15 s */
	assert_true(look(&v, &t, 9, 9));
	assert_false(look(&v, &t, 10, 10));
	assert_true(look(&v, &t, 30, 30));
	assert_false(look(&v, &t, 44, 44));
	assert_true(look(&v, &t, 45, 45));
}

static void test_limits_shown(void **state)
{
	const struct trust t = node();
	struct node_conf conf;
	struct vitals v;

	(void)state;
	n_lines = 0;
	node_conf_init(&conf);
	conf.max_stale = 600;
	vitals_init(&v, &conf, "1.0", record);
	(void)look(&v, &t, 20, 30);
	assert_int_equal(v.m.age_wall, 20);
	assert_int_equal(v.m.age_boot, 30);
	assert_int_equal(v.m.age_limit, 600);
	assert_int_equal(v.m.age_limit_sudo, 300);
	(void)look(&v, &t, 301, 301);
	assert_int_equal(n_lines, 1);
}

/* ---- a strict reader of the text format ---- */

struct reader {
	const char *at;
	char family[80], type[16];
	size_t families, samples, of_family;
	char seen[200][120];
	size_t n_seen;
};

static size_t word(const char *p, bool label)
{
	size_t n = 0;

	if (!isalpha((unsigned char)p[0]) && p[0] != '_')
		return 0;
	while (isalnum((unsigned char)p[n]) || p[n] == '_' || (!label && p[n] == ':'))
		n++;
	return n;
}

static void once(struct reader *r, const char *text, size_t n)
{
	assert_true(n < sizeof r->seen[0] && r->n_seen < 200);
	for (size_t i = 0; i < r->n_seen; i++)
		if (strlen(r->seen[i]) == n && memcmp(r->seen[i], text, n) == 0)
			fail_msg("twice: %.*s", (int)n, text);
	memcpy(r->seen[r->n_seen], text, n);
	r->seen[r->n_seen++][n] = '\0';
}

static void read_help(struct reader *r, const char *line, size_t n)
{
	size_t w = word(line + 7, false);

	assert_true(w > 0 && w < sizeof r->family && line[7 + w] == ' ' && n > 7 + w + 1);
	assert_true(r->families == 0 || r->of_family > 0); /* a family has samples */
	assert_null(memchr(line + 7, '\\', n - 7));
	once(r, line, 7 + w);
	memcpy(r->family, line + 7, w);
	r->family[w] = '\0';
	r->type[0] = '\0';
	r->of_family = 0;
	r->families++;
}

static void read_type(struct reader *r, const char *line, size_t n)
{
	char expected[120];

	assert_int_equal(r->of_family, 0);
	assert_string_equal(r->type, "");
	snprintf(r->type, sizeof r->type, "%.*s", (int)(n - 8 - strlen(r->family)), line + 8 + strlen(r->family));
	assert_true(strcmp(r->type, "gauge") == 0 || strcmp(r->type, "counter") == 0);
	snprintf(expected, sizeof expected, "# TYPE %s %s", r->family, r->type);
	assert_true(strlen(expected) == n && memcmp(line, expected, n) == 0);
	assert_int_equal(strcmp(r->type, "counter") == 0, strlen(r->family) > 6 && strcmp(r->family + strlen(r->family) - 6, "_total") == 0);
}

static void read_sample(struct reader *r, const char *line, size_t n)
{
	size_t w = word(line, false), k;
	char *end;

	assert_true(w == strlen(r->family) && memcmp(line, r->family, w) == 0 && r->type[0] != '\0');
	if (line[w] == '{') {
		do {
			k = word(line + ++w, true);
			assert_true(k > 0 && line[w + k] == '=' && line[w + k + 1] == '"');
			for (w += k + 2; line[w] != '"'; w++)
				assert_true(line[w] != '\n' && line[w] != '\\' && isprint((unsigned char)line[w]));
			w++;
		} while (line[w] == ',');
		assert_int_equal(line[w++], '}');
	}
	once(r, line, w);
	assert_int_equal(line[w], ' ');
	assert_true(isdigit((unsigned char)line[w + 1]) || line[w + 1] == '-');
	(void)strtod(line + w + 1, &end);
	assert_true(end == line + n);
	if (strcmp(r->type, "counter") == 0)
		assert_int_not_equal(line[w + 1], '-');
	r->of_family++;
	r->samples++;
}

static void read_all(struct reader *r, const char *text)
{
	const char *end;

	memset(r, 0, sizeof *r);
	for (r->at = text; *r->at; r->at = end + 1) {
		size_t n;

		end = strchr(r->at, '\n');
		assert_non_null(end); /* the last line too */
		n = (size_t)(end - r->at);
		if (strncmp(r->at, "# HELP ", 7) == 0)
			read_help(r, r->at, n);
		else if (strncmp(r->at, "# TYPE ", 7) == 0)
			read_type(r, r->at, n);
		else
			read_sample(r, r->at, n);
	}
	assert_true(r->of_family > 0);
}

static void expect_line(const char *text, const char *line)
{
	char whole[200];

	snprintf(whole, sizeof whole, "\n%s\n", line);
	if (!strstr(text, whole))
		fail_msg("\"%s\" is not in\n%s", line, text);
}

static char *text_of(const struct metrics *m)
{
	struct wr w;
	char *text;
	size_t n;

	wr_grow(&w, METRICS_MAX);
	metrics_text(m, &w);
	wr_u8(&w, 0);
	assert_ok(wr_take(&w, (uint8_t **)&text, &n));
	return text;
}

static void test_text(void **state)
{
	const struct ipc_hop_counts hops = { .now = 5, .vouched = 6, .refused = 7 };
	const struct ipc_relay relay = { .now = 3, .accepted = 10, .refused = 2, .failed = 1 };
	const struct trust t = node();
	struct node_conf conf;
	struct vitals v;
	struct reader r;
	char *text;

	(void)state;
	node_conf_init(&conf);
	conf.hop = false;
	vitals_init(&v, &conf, "1.0", record);
	text = text_of(&v.m); /* before anything is known */
	read_all(&r, text);
	assert_null(strstr(text, "hop"));
	assert_null(strstr(text, "relay"));
	assert_null(strstr(text, "head_age"));
	free(text);

	conf.hop = true;
	conf.relay_listen.n = 1;
	vitals_init(&v, &conf, "1.0", record);
	(void)look(&v, &t, 20, 30);
	vitals_contact(&v, CLUSTER_OK, NOW + 1);
	vitals_contact(&v, CLUSTER_EVERSION, NOW + 2);
	vitals_contact(&v, CLUSTER_EUNAVAIL, NOW + 2);
	vitals_contact(&v, CLUSTER_EUNAVAIL, NOW + 3);
	vitals_relay(&v, &relay);
	vitals_hop(&v, &hops);
	v.m.sessions = 4;
	text = text_of(&v.m);
	read_all(&r, text);
	assert_int_equal(r.families, 22);
	expect_line(text, "cluster_login_build_info{version=\"1.0\"} 1");
	expect_line(text, "cluster_login_head_age_seconds{clock=\"wall\"} 20");
	expect_line(text, "cluster_login_head_age_seconds{clock=\"boot\"} 30");
	expect_line(text, "cluster_login_head_age_limit_seconds{service=\"sudo\"} 300");
	expect_line(text, "cluster_login_fetches_total 1");
	expect_line(text, "cluster_login_fetch_failures_total{reason=\"version\"} 1");
	expect_line(text, "cluster_login_fetch_failures_total{reason=\"unavailable\"} 2");
	expect_line(text, "cluster_login_last_contact_timestamp_seconds 1800000001");
	expect_line(text, "cluster_login_connected 0");
	expect_line(text, "cluster_login_revocations_version 7");
	expect_line(text, "cluster_login_sessions 4");
	expect_line(text, "cluster_login_hop_connections 5");
	expect_line(text, "cluster_login_hop_vouched_total 6");
	expect_line(text, "cluster_login_hop_refused_total 7");
	expect_line(text, "cluster_login_relay_connections 3");
	expect_line(text, "cluster_login_relay_refused_total 2");
	free(text);
}

static void test_store(void **state)
{
	char dir[] = "/tmp/metrics-XXXXXX", path[64], temporary[64];
	const struct agent_msg_status s = { .generation = 3, .head_version = 41, .head_iat = NOW, .sessions = 2 };
	struct node_conf conf;
	struct vitals v;
	struct stat st;

	(void)state;
	n_lines = 0;
	assert_non_null(mkdtemp(dir));
	node_conf_init(&conf);
	snprintf(conf.run, sizeof conf.run, "%s", dir);
	snprintf(path, sizeof path, "%s/" METRICS_FILE, dir);
	snprintf(temporary, sizeof temporary, "%s/." METRICS_FILE, dir);
	vitals_init(&v, &conf, "1.0", record);
	assert_int_equal(symlink("/nonexistent/elsewhere", temporary), 0); /* what an earlier run, or somebody, left */
	vitals_write(&v, &s, 5);
	vitals_write(&v, &s, 5);
	assert_int_equal(n_lines, 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(lstat(temporary, &st), -1);
	metrics_remove(dir);
	assert_int_equal(lstat(path, &st), -1);
	rmdir(dir);
	vitals_write(&v, &s, 5);
	assert_int_equal(n_lines, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once_per_crossing), cmocka_unit_test(test_limits_shown), cmocka_unit_test(test_text), cmocka_unit_test(test_store),
	};

	return cmocka_run_group_tests_name("vitals", tests, NULL, NULL);
}
