/* port_host.c - the harness on this computer: stdio, and nothing is measured. */
#include "harness_port.h"

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

void port_init(void)
{
}

int port_open_read(const char *name)
{
    return open_file(name, "rb");
}

int port_open_write(const char *name)
{
    return open_file(name, "wb");
}

uint32_t port_read(int handle, void *data, uint32_t bytes)
{
    return (uint32_t)fread(data, 1, bytes, files[handle]);
}

void port_write(int handle, const void *data, uint32_t bytes)
{
    if (fwrite(data, 1, bytes, files[handle]) != bytes) {
        perror("write");
        exit(99);
    }
}

void port_close(int handle)
{
    fclose(files[handle]);
    files[handle] = NULL;
}

void port_exit(int status)
{
    exit(status);
}

tc_status port_measured_invoke(const MODEL_CONTEXT *context, port_measurement *invoke,
                               port_measurement *empty)
{
    memset(invoke, 0, sizeof *invoke);
    memset(empty, 0, sizeof *empty);
    return MODEL_INVOKE(context);
}
