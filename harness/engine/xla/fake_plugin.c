/*
 * A PJRT plugin that opens a client but compiles nothing, to test how a plugin's errors are reported and which GPUs its
 * process sees. Environment variables control it. FAKE_VERSION: "major.minor" of its API. FAKE_OPENS_FOR: the value of
 * CUDA_VISIBLE_DEVICES at which its client opens, with FAKE_DEVICES devices. FAKE_CODE and FAKE_MESSAGE:
 * absl::StatusCode and text of the error that PJRT_Client_Create returns otherwise; "%s" in the text becomes
 * CUDA_VISIBLE_DEVICES. Offsets are those of pjrt_api.ts.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *setting(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value ? value : otherwise;
}

static char text[1024];

static const char *gpus(void) { return setting("CUDA_VISIBLE_DEVICES", "unset"); }

static void *nothing(char *args) {
  (void)args;
  return 0;
}

static void *error_message(char *args) {
  *(const char **)(args + 24) = text;
  *(uint64_t *)(args + 32) = strlen(text);
  return 0;
}

static void *error_code(char *args) {
  *(int32_t *)(args + 24) = atoi(setting("FAKE_CODE", "13"));
  return 0;
}

static void *client_create(char *args) {
  if (strcmp(setting("FAKE_OPENS_FOR", ""), gpus()) == 0) {
    *(const char **)(args + 64) = text; /* any non-null address will do */
    return 0;
  }
  const char *message = setting("FAKE_MESSAGE", "no device");
  const char *place = strstr(message, "%s");
  if (place) {
    snprintf(text, sizeof text, "%.*s%s%s", (int)(place - message), message,
             gpus(), place + 2);
  } else {
    snprintf(text, sizeof text, "%s", message);
  }
  return text;
}

static void *client_devices(char *args) {
  static const char *devices[] = {text};
  *(const char ***)(args + 24) = devices;
  *(uint64_t *)(args + 32) = atoi(setting("FAKE_DEVICES", "1"));
  return 0;
}

static void *device_description(char *args) {
  *(const char **)(args + 24) = text;
  return 0;
}

static void *name(char *args) {
  *(const char **)(args + 24) = "fake";
  *(uint64_t *)(args + 32) = 4;
  return 0;
}

const void *GetPjrtApi(void) {
  static uint64_t table[140];
  int major = 0, minor = 100;
  sscanf(setting("FAKE_VERSION", "0.100"), "%d.%d", &major, &minor);
  table[0] = sizeof table;
  ((int32_t *)table)[8] = major;
  ((int32_t *)table)[9] = minor;
  table[40 / 8] = (uint64_t)nothing;
  table[48 / 8] = (uint64_t)error_message;
  table[56 / 8] = (uint64_t)error_code;
  table[64 / 8] = (uint64_t)nothing;
  table[120 / 8] = (uint64_t)client_create;
  table[128 / 8] = (uint64_t)nothing; /* Client_Destroy */
  table[136 / 8] = (uint64_t)name;    /* Client_PlatformName */
  table[152 / 8] = (uint64_t)name;    /* Client_PlatformVersion */
  table[168 / 8] = (uint64_t)client_devices;
  table[248 / 8] = (uint64_t)name; /* DeviceDescription_Kind */
  table[272 / 8] = (uint64_t)device_description;
  return table;
}
