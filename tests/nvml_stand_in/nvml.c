/* A stand-in for NVIDIA's libnvidia-ml.so.1: the real calls and the real structs, with answers from a text file.
 *
 * The file is named by NVML_STAND_IN and read again at every call, together with FILE.0 to FILE.15, so that programs
 * can change it while others look. A line is `KEY VALUE` or `CARD KEY VALUE`; see stand_in.py. A process counts as long
 * as it lives, as with the real driver. No headers: any C compiler builds this, also one without libc's headers.
 */
typedef unsigned long size_t;
typedef void *FILE_;
extern FILE_ fopen(const char *path, const char *mode);
extern char *fgets(char *line, int size, FILE_ file);
extern int fclose(FILE_ file);
extern int sscanf(const char *text, const char *format, ...);
extern int snprintf(char *text, size_t size, const char *format, ...);
extern int strcmp(const char *left, const char *right);
extern int strncmp(const char *left, const char *right, size_t size);
extern size_t strlen(const char *text);
extern char *getenv(const char *name);
extern int kill(int pid, int signal);

#define SUCCESS 0
#define INVALID_ARGUMENT 2
#define NOT_SUPPORTED 3
#define NOT_FOUND 6
#define INSUFFICIENT_SIZE 7
#define PARTS 17
#define MOST_CARDS 16
#define MOST_INSTANCES 8

typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned pid; unsigned long long used; unsigned gpu_instance, compute_instance; } process_t;
typedef int (*visit_t)(int card, const char *key, const char *value, void *seen);

/* A handle is 1 + card * 16 + (1 + instance), the last part 0 for a whole card. */
static void *handle_of(int card, int instance) { return (void *)(size_t)(1 + card * 16 + instance + 1); }
static int card_of(void *handle) { return (int)(((size_t)handle - 1) / 16); }
static int instance_of(void *handle) { return (int)(((size_t)handle - 1) % 16) - 1; }

static int visit_line(char *line, visit_t visit, void *seen) {
    char key[64];
    int card = -1, length = 0;
    size_t end = strlen(line);
    while (end && (line[end - 1] == '\n' || line[end - 1] == ' ')) line[--end] = 0;
    if (line[0] >= '0' && line[0] <= '9') {
        if (sscanf(line, "%d %63s %n", &card, key, &length) < 2) return 0;
    } else if (sscanf(line, "%63s %n", key, &length) < 1) return 0;
    return visit(card, key, line + length, seen);
}

static void visit_all(visit_t visit, void *seen) {
    char path[4096], line[1024];
    const char *name = getenv("NVML_STAND_IN");
    for (int part = -1; name && part < PARTS - 1; part++) {
        snprintf(path, sizeof path, part < 0 ? "%s" : "%s.%d", name, part);
        FILE_ file = fopen(path, "r");
        if (!file) continue;
        while (fgets(line, sizeof line, file))
            if (visit_line(line, visit, seen)) break;
        fclose(file);
    }
}

typedef struct { int card; const char *key; char *value; size_t size; int is_found; } query_t;

static int match(int card, const char *key, const char *value, void *seen) {
    query_t *query = seen;
    if (card != query->card || strcmp(key, query->key)) return 0;
    snprintf(query->value, query->size, "%s", value);
    query->is_found = 1;
    return 1;
}

static int find(int card, const char *key, char *value, size_t size) {
    query_t query = { card, key, value, size, 0 };
    visit_all(match, &query);
    return query.is_found;
}

typedef struct { int card; const char *call; int code; } failure_t;

static int match_failure(int card, const char *key, const char *value, void *seen) {
    failure_t *failure = seen;
    char call[64];
    int code;
    if (strcmp(key, "error") || (card != -1 && card != failure->card)) return 0;
    if (sscanf(value, "%63s %d", call, &code) != 2 || strcmp(call, failure->call)) return 0;
    failure->code = code;
    return 1;
}

/* The error that the file demands of this call; -1 stands for every card. */
static int failure_of(int card, const char *call) {
    failure_t failure = { card, call, SUCCESS };
    visit_all(match_failure, &failure);
    return failure.code;
}

#define FAIL_AS_TOLD(card, call) do { int code = failure_of(card, call); if (code) return code; } while (0)

static int count_cards(void) {
    char value[64];
    int count = 0;
    while (count < MOST_CARDS && find(count, "name", value, sizeof value)) count++;
    return count;
}

/* A MIG instance's keys are mig0.uuid, mig0.name, mig0.total … */
static int find_of(void *handle, const char *key, char *value, size_t size) {
    char name[64];
    if (instance_of(handle) < 0) return find(card_of(handle), key, value, size);
    snprintf(name, sizeof name, "mig%d.%s", instance_of(handle), key);
    return find(card_of(handle), name, value, size);
}

typedef struct { int card, instance, count; process_t found[64]; } processes_t;

static int gather(int card, const char *key, const char *value, void *seen) {
    processes_t *all = seen;
    unsigned pid;
    int instance = -1;
    unsigned long long used;
    if (card != all->card || strcmp(key, "process") || all->count == 64) return 0;
    if (sscanf(value, "%u %llu %d", &pid, &used, &instance) < 2) return 0;
    if (all->instance >= 0 && instance != all->instance) return 0;
    if (kill((int)pid, 0) && !find(-1, "ghosts", (char[8]){0}, 8)) return 0;
    process_t one = { pid, used, (unsigned)instance, 0xFFFFFFFF };
    all->found[all->count++] = one;
    return 0;
}

static void processes_of(void *handle, processes_t *all) {
    all->card = card_of(handle);
    all->instance = instance_of(handle);
    all->count = 0;
    visit_all(gather, all);
}

int nvmlInit_v2(void) { return failure_of(-1, "nvmlInit"); }
int nvmlInitWithFlags(unsigned flags) { (void)flags; return failure_of(-1, "nvmlInit"); }
int nvmlShutdown(void) { return SUCCESS; }

const char *nvmlErrorString(int code) {
    switch (code) {
    case SUCCESS: return "Success";
    case INVALID_ARGUMENT: return "Invalid Argument";
    case NOT_SUPPORTED: return "Not Supported";
    case 4: return "Insufficient Permissions";
    case NOT_FOUND: return "Not Found";
    case INSUFFICIENT_SIZE: return "Insufficient Size";
    case 9: return "Driver Not Loaded";
    case 15: return "GPU is lost";
    case 18: return "Driver/library version mismatch";
    default: return "Unknown Error";
    }
}

static int give(int card, const char *call, const char *key, char *text, unsigned size) {
    FAIL_AS_TOLD(card, call);
    return find(card, key, text, size) ? SUCCESS : NOT_SUPPORTED;
}

int nvmlSystemGetDriverVersion(char *text, unsigned size) {
    return give(-1, "nvmlSystemGetDriverVersion", "driver", text, size);
}

int nvmlDeviceGetCount_v2(unsigned *count) {
    FAIL_AS_TOLD(-1, "nvmlDeviceGetCount");
    *count = (unsigned)count_cards();
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    FAIL_AS_TOLD((int)index, "nvmlDeviceGetHandleByIndex");
    if ((int)index >= count_cards()) return INVALID_ARGUMENT;
    *handle = handle_of((int)index, -1);
    return SUCCESS;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, void **handle) {
    char value[128];
    for (int card = 0; card < count_cards(); card++)
        for (int instance = -1; instance < MOST_INSTANCES; instance++)
            if (find_of(handle_of(card, instance), "uuid", value, sizeof value) && !strcmp(value, uuid)) {
                *handle = handle_of(card, instance);
                return failure_of(card, "nvmlDeviceGetHandleByUUID");
            }
    return NOT_FOUND;
}

int nvmlDeviceGetName(void *handle, char *text, unsigned size) {
    FAIL_AS_TOLD(card_of(handle), "nvmlDeviceGetName");
    return find_of(handle, "name", text, size) ? SUCCESS : NOT_SUPPORTED;
}

int nvmlDeviceGetUUID(void *handle, char *text, unsigned size) {
    FAIL_AS_TOLD(card_of(handle), "nvmlDeviceGetUUID");
    return find_of(handle, "uuid", text, size) ? SUCCESS : NOT_SUPPORTED;
}

int nvmlDeviceGetCudaComputeCapability(void *handle, int *major, int *minor) {
    char value[64];
    FAIL_AS_TOLD(card_of(handle), "nvmlDeviceGetCudaComputeCapability");
    if (!find(card_of(handle), "capability", value, sizeof value)) return NOT_SUPPORTED;
    return sscanf(value, "%d.%d", major, minor) == 2 ? SUCCESS : NOT_SUPPORTED;
}

/* What the card uses is its `used` and what the living processes hold. */
int nvmlDeviceGetMemoryInfo(void *handle, memory_t *memory) {
    char value[64];
    processes_t all;
    FAIL_AS_TOLD(card_of(handle), "nvmlDeviceGetMemoryInfo");
    if (!find_of(handle, "total", value, sizeof value)) return NOT_SUPPORTED;
    sscanf(value, "%llu", &memory->total);
    memory->used = 0;
    if (find_of(handle, "used", value, sizeof value)) sscanf(value, "%llu", &memory->used);
    processes_of(handle, &all);
    for (int index = 0; index < all.count; index++) memory->used += all.found[index].used;
    memory->free = memory->used > memory->total ? 0 : memory->total - memory->used;
    return SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, process_t *infos) {
    processes_t all;
    FAIL_AS_TOLD(card_of(handle), "nvmlDeviceGetComputeRunningProcesses");
    processes_of(handle, &all);
    unsigned room = *count;
    *count = (unsigned)all.count;
    if (all.count && (!infos || room < (unsigned)all.count)) return INSUFFICIENT_SIZE;
    for (int index = 0; index < all.count; index++) infos[index] = all.found[index];
    return SUCCESS;
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *count, process_t *infos) {
    (void)infos;
    FAIL_AS_TOLD(card_of(handle), "nvmlDeviceGetGraphicsRunningProcesses");
    *count = 0;
    return SUCCESS;
}

int nvmlDeviceGetMigMode(void *handle, unsigned *current, unsigned *pending) {
    char value[64];
    FAIL_AS_TOLD(card_of(handle), "nvmlDeviceGetMigMode");
    if (!find(card_of(handle), "mig", value, sizeof value)) return NOT_SUPPORTED;
    *current = *pending = value[0] == '1';
    return SUCCESS;
}

int nvmlDeviceGetMaxMigDeviceCount(void *handle, unsigned *count) {
    FAIL_AS_TOLD(card_of(handle), "nvmlDeviceGetMaxMigDeviceCount");
    *count = MOST_INSTANCES - 1;
    return SUCCESS;
}

int nvmlDeviceGetMigDeviceHandleByIndex(void *handle, unsigned index, void **instance) {
    char value[128];
    FAIL_AS_TOLD(card_of(handle), "nvmlDeviceGetMigDeviceHandleByIndex");
    *instance = handle_of(card_of(handle), (int)index);
    return find_of(*instance, "uuid", value, sizeof value) ? SUCCESS : NOT_FOUND;
}
