/* SPDX-License-Identifier: Apache-2.0 */
/* main() of a fuzz target where libFuzzer is not linked: replays the files, and the files of the directories, that are its arguments. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#define INPUT_MAX (64 * 1024 * 1024)

int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static unsigned replayed;

static int replay_path(const char *path);

/* The input is a block of its exact size, so that a sanitizer sees a read past the end. */
static int replay_file(int fd, size_t size, const char *path)
{
	uint8_t *data = malloc(size ? size : 1);
	size_t have = 0;

	if (!data)
		return -1;
	while (have < size) {
		ssize_t n = read(fd, data + have, size - have);

		if (n <= 0) {
			fprintf(stderr, "%s: cannot be read\n", path);
			free(data);
			return -1;
		}
		have += (size_t)n;
	}
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	replayed++;
	return 0;
}

static int replay_directory(const char *path)
{
	struct dirent **entries = NULL;
	int n = scandir(path, &entries, NULL, alphasort), failed = n < 0;

	for (int i = 0; i < n; i++) {
		char *inner = NULL;

		if (entries[i]->d_name[0] != '.') {
			failed |= asprintf(&inner, "%s/%s", path, entries[i]->d_name) < 0 || replay_path(inner) != 0;
			free(inner);
		}
		free(entries[i]);
	}
	free(entries);
	return failed ? -1 : 0;
}

static int replay_path(const char *path)
{
	struct stat st;
	int fd, failed;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return replay_directory(path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0 || st.st_size > INPUT_MAX) {
		fprintf(stderr, "%s: cannot be replayed\n", path);
		return -1;
	}
	failed = replay_file(fd, (size_t)st.st_size, path);
	close(fd);
	return failed;
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		failed |= replay_path(argv[i]) != 0;
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	printf("%u inputs replayed\n", replayed);
	return failed || replayed == 0;
}
