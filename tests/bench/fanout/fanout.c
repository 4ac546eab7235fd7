/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static FILE *out;
static const char *comma = "";
static unsigned missed;

static void row(const char *system, const struct sim_result *r)
{
	fprintf(out, "%s\n{\"system\":\"%s\",\"nodes\":%zu,\"tls\":%s,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f,\"last_ms\":%.2f,\"rss_mb\":%.1f", comma, system, r->nodes,
	    r->tls ? "true" : "false", r->p50, r->p99, r->max, r->last, r->rss);
	if (r->cpu_ms > 0)
		fprintf(out, ",\"acknowledged_ms\":%.2f,\"proved_ms\":%.1f,\"node_kb\":%.1f,\"connections_per_s\":%.0f,\"connection_cpu_us\":%.0f,\"round_cpu_ms\":%.1f", r->sent_last, r->proved,
		    r->per_node_kb, r->handshakes, r->handshake_cpu_us, r->cpu_ms);
	fputc('}', out);
	comma = ",";
	printf("%-8s %6zu nodes %-5s  p50 %7.1f  p99 %7.1f  max %7.1f  last (median of rounds) %7.1f ms", system, r->nodes, r->tls ? "TLS" : "plain", r->p50, r->p99, r->max, r->last);
	if (r->cpu_ms > 0)
		printf("\n         acknowledged after %.1f ms, proved by all %.0f ms later; %.0f connections/s at %.0f us CPU; %.0f MB, %.1f KB a node; %.0f ms CPU a round", r->sent_last, r->proved,
		    r->handshakes, r->handshake_cpu_us, r->rss, r->per_node_kb, r->cpu_ms);
	putchar('\n');
	fflush(stdout);
}

static void bar(const char *what, double value, double most, const char *unit)
{
	printf("  %-74s %8.1f of at most %.0f %s: %s\n", what, value, most, unit, value <= most ? "met" : "NOT MET");
	missed += value > most;
	fflush(stdout);
}

static void storm(struct sim_world *w)
{
	struct sim_storm s = { 0 };

	sim_agents_storm(w, &s);
	fprintf(out, "%s\n{\"system\":\"restart\",\"nodes\":%zu,\"tls\":true,\"down_ms\":%.0f,\"fresh_ms\":%.0f,\"tries\":%zu,\"cpu_s\":%.2f,\"credentials\":%zu,\"credentials_failed\":%zu,\"credential_max_ms\":%.0f}",
	    comma, s.nodes, s.down, s.fresh, s.tries, s.cpu_s, s.asked, s.failed, s.asked_max_ms);
	printf("restart  %6zu nodes TLS    down for %.0f ms, all fresh after %.0f ms, %zu tries, %.1f s CPU; %zu credentials meanwhile, %zu failed, the slowest after %.0f ms\n", s.nodes, s.down,
	    s.fresh, s.tries, s.cpu_s, s.asked, s.failed, s.asked_max_ms);
	if (s.nodes >= 10000) {
		bar("10,000 nodes after a restart: all fresh", s.fresh / 1e3, 20, "s");
		bar("credential requests that failed meanwhile", (double)s.failed, 0, "");
	}
}

static void judge(const struct sim_result *floor, const struct sim_result *r)
{
	char what[100];

	if (r->nodes <= 1000) {
		snprintf(what, sizeof what, "%zu nodes, %s: last node served, of the floor's", r->nodes, r->tls ? "TLS" : "plain");
		bar(what, r->last / floor->last, 3, "times");
	} else {
		snprintf(what, sizeof what, "%zu nodes, %s: p99", r->nodes, r->tls ? "TLS" : "plain");
		bar(what, r->p99, r->tls ? 450 : 250, "ms");
		if (r->tls)
			bar("the authority's memory", r->rss, 200, "MB");
	}
}

static void measure(size_t n, bool only_restart)
{
	struct sim_result floor = { 0 }, plain = { 0 }, tls = { 0 };
	struct sim_world w;

	if (only_restart) {
		sim_world_make(&w, n);
		sim_world_start(&w);
		goto restart;
	}
	sim_floor_run(n, &floor);
	row("floor", &floor);
	sim_world_make(&w, n);
	sim_world_start(&w);
	sim_agents_run(&w, false, &plain);
	row("cluster", &plain);
	judge(&floor, &plain);
	sim_world_stop(&w);
	sim_world_start(&w);
	sim_agents_run(&w, true, &tls);
	row("cluster", &tls);
	judge(&floor, &tls);
restart:
	sim_world_person(&w);
	storm(&w);
	sim_world_done(&w);
}

int main(int argc, char **argv)
{
	struct rlimit files;
	char path[SIM_PATH];

	signal(SIGPIPE, SIG_IGN);
	if (crypto_start() != CLUSTER_OK)
		sim_die("libcrypto");
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	mkdir("build", 0755);
	mkdir("build/bench", 0755);
	snprintf(path, sizeof path, "build/bench/fanout.json");
	if (!(out = fopen(path, "we")))
		sim_die("%s: %s", path, strerror(errno));
	fputc('[', out);
	for (int i = 1; i < argc; i++) {
		const bool only_restart = strcmp(argv[i], "--restart") == 0 && i + 1 < argc;
		size_t n = (size_t)strtoul(argv[i += only_restart], NULL, 10);

		if (files.rlim_cur < n + 100)
			sim_die("%zu nodes need more than the %lu descriptors that a process may have here", n, (unsigned long)files.rlim_cur);
		measure(n, only_restart);
	}
	fputs("\n]\n", out);
	if (fclose(out) != 0)
		sim_die("%s: %s", path, strerror(errno));
	printf("%u bars missed\n", missed);
	return 0;
}
