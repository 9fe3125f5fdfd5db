/* port_host.c - the harness on this computer: stdio, and nothing is measured. */
#include "tc_harness_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILES 8

static FILE *files[MAX_FILES];

static int open_file(const char *name, const char *mode)
{
    for (int handle = 0; handle < MAX_FILES; ++handle) {
        if (files[handle] == NULL) {
            files[handle] = fopen(name, mode);
            return files[handle] == NULL ? -1 : handle;
        }
    }
    return -1;
}

void tc_port_init(void)
{
}

int tc_port_open_read(const char *name)
{
    return open_file(name, "rb");
}

int tc_port_open_write(const char *name)
{
    return open_file(name, "wb");
}

uint32_t tc_port_read(int handle, void *data, uint32_t bytes)
{
    return (uint32_t)fread(data, 1, bytes, files[handle]);
}

void tc_port_write(int handle, const void *data, uint32_t bytes)
{
    if (fwrite(data, 1, bytes, files[handle]) != bytes) {
        perror("write");
        exit(99);
    }
}

void tc_port_close(int handle)
{
    fclose(files[handle]);
    files[handle] = NULL;
}

void tc_port_exit(int status)
{
    exit(status);
}

tc_status tc_port_measured_invoke(const TC_MODEL_CONTEXT *context, tc_port_measurement *invoke,
                                  tc_port_measurement *empty)
{
    memset(invoke, 0, sizeof *invoke);
    memset(empty, 0, sizeof *empty);
    return TC_MODEL_INVOKE(context);
}
