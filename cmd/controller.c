/* `tablesync controller`: wiring of the real ports, signals, and nothing else. */
#include "audit/audit.h"
#include "base/footprint.h"
#include "base/siphash.h"
#include "cmd/cluster.h"
#include "cmd/cmd.h"
#include "cmd/election.h"
#include "cmd/namespaces.h"
#include "loop/manager.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define ATTEMPT_MS INT64_C(900000)
#define PER_RESOURCE_MAX 10000

/* A signal handler can only reach static storage. */
static struct cancel *signal_target;
static struct lg *signal_log;

static void on_signal(int number)
{
    (void)number;
    cancel_fire(signal_target);
}

/* Sets an atomic that the next line reads. */
static void on_log_signal(int number)
{
    (void)number;
    lg_toggle_debug(signal_log);
}

static bool install_signals(struct cancel *stop, struct lg *lg, struct fault *fault)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction louder = {.sa_handler = on_log_signal, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    signal_target = stop;
    signal_log = lg;
    if (sigaction(SIGTERM, &action, NULL) != 0 || sigaction(SIGINT, &action, NULL) != 0 ||
        sigaction(SIGUSR1, &louder, NULL) != 0 ||
        sigaction(SIGPIPE, &ignore, NULL) != 0 ||
        sigaction(SIGXFSZ, &ignore, NULL) != 0) {
        return fault_set(fault, FAULT_BUG, NULL, "cannot install signal handlers");
    }
    return true;
}

/* Passwords are in memory: no core files. */
static void forbid_core_files(void)
{
    struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static bool read_options(const struct options *options, struct manager_options *out,
                         struct audit_options *out_audit, enum lg_level *out_level,
                         struct fault *fault)
{
    int64_t workers = 0;

    if (!options_int(options, OPTION_WORKERS, 1, 64, &workers, fault) ||
        !options_duration(options, OPTION_RESYNC, 1000, &out->loop.resync_ms, fault) ||
        !options_duration(options, OPTION_WATCH_IDLE, 5000, &out->loop.watch_idle_ms,
                          fault) ||
        !options_duration(options, OPTION_POLL, 100, &out->loop.poll_ms, fault) ||
        !options_duration(options, OPTION_AUDIT_KEEP, 0, &out_audit->keep_ms, fault) ||
        !options_int(options, OPTION_METRICS_PER_RESOURCE, 0, PER_RESOURCE_MAX,
                     &out->per_resource, fault) ||
        !options_int(options, OPTION_AUDIT_KEEP_RUNS, 0, INT64_MAX,
                     &out_audit->keep_runs_per_object, fault)) {
        return false;
    }
    if (!lg_level_parse(options->values[OPTION_LOG_LEVEL], out_level)) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--log-level is '%s'; it must be debug, info or error",
                         options->values[OPTION_LOG_LEVEL]);
    }
    out->workers = (int)workers;
    out->loop.attempt_ms = ATTEMPT_MS;
    out->loop.watch_secrets = true;
    out->metrics_address = options->values[OPTION_METRICS_ADDRESS];
    out->probe_address = options->values[OPTION_PROBE_ADDRESS];
    out->debug_address = options->values[OPTION_DEBUG_ADDRESS];
    out->metrics_cert_file = options->values[OPTION_METRICS_CERT];
    out->metrics_key_file = options->values[OPTION_METRICS_KEY];
    if (!options_switch(options, OPTION_METRICS_REVIEW, &out->metrics_review, fault)) {
        return false;
    }
    if ((out->metrics_cert_file == NULL) != (out->metrics_key_file == NULL)) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--metrics-cert-file and --metrics-key-file go together");
    }
    out->loop.pod_namespace = options->values[OPTION_POD_NAMESPACE];
    out->loop.pod_uid = options->values[OPTION_POD_UID];
    out_audit->path = options->values[OPTION_AUDIT_DB];
    out_audit->tolerant = true;
    out_audit->later = true; /* a follower leaves it to the leader */
    return true;
}

static bool read_initial_sync(const struct options *options, struct manager_options *out,
                              struct fault *fault)
{
    const char *how = options->values[OPTION_INITIAL_SYNC];

    if (strcmp(how, "stream") != 0 && strcmp(how, "list") != 0) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--initial-sync is '%s'; it must be stream or list", how);
    }
    out->loop.list_only = strcmp(how, "list") == 0;
    return true;
}

static bool read_namespaces(const struct options *options, const struct cluster *cluster,
                            struct manager_options *out, struct fault *fault)
{
    const char *names = options->values[OPTION_WATCH_NAMESPACE];

    out->watched = names == NULL || names[0] == '\0' ? NULL : names;
    return namespaces_parse(names, cluster->arena, &out->loop.namespaces, fault);
}

/* Without the flag nothing is kept; with it, a key that is no key prevents the start. */
static bool load_keys(const struct options *options, struct crypto **out_crypto,
                      struct fault *fault)
{
    const char *key_file = options->values[OPTION_ENCRYPTION_KEY];
    const char *old_key_file = options->values[OPTION_ENCRYPTION_OLD_KEYS];

    if (key_file == NULL && old_key_file != NULL) {
        return fault_set(fault, FAULT_SPEC, NULL,
                         "--encryption-old-key-file is given without "
                         "--encryption-key-file: name the current key too");
    }
    return key_file == NULL || crypto_load(key_file, old_key_file, out_crypto, fault);
}

/* Beside the audit file, which survives the process as well. Without it a resource that
 * kills goes on killing; that is no reason not to start. */
static struct crash_log *open_crashes(const struct audit_options *audit, struct lg *lg)
{
    static const uint64_t seed[2] = {0, 0};
    AUTO(buf_deinit) struct buf path = {0};
    struct crash_log *log = NULL;
    struct fault fault = FAULT_INIT;

    buf_init(&path, 4096);
    buf_addf(&path, "%s-crashes", audit->path);
    if (!crash_log_open(buf_z(&path), siphash(seed, sv_from(command_version_text())),
                        &log, &fault)) {
        lg_error(lg, "crashes are not remembered", LG_STR("error", fault.text));
    }
    return log;
}

static void begin(const struct options *options, const struct cluster *cluster,
                  const struct audit_options *audit, const struct loop_ports *ports)
{
    lg_info(ports->lg, "tablesync", LG_STR("version", command_version_text()),
            LG_STR("api", cluster->config.origin), LG_STR("audit", audit->path),
            LG_STR("leaderElection", options->values[OPTION_LEADER_ELECT] != NULL
                                         ? options->values[OPTION_LEADER_ELECT]
                                         : "false"));
}

/* Nothing of ours writes any more, anywhere: somebody else may take the Lease. */
static int end(bool good, struct election *election, struct fault *fault)
{
    leader_stop(election->leader);
    if (good && election->leader != NULL &&
        leader_state(election->leader) == LEADER_LOST) {
        (void)leader_fault(election->leader, fault);
        (void)command_failed(fault);
        return EXIT_NOT_LEADER;
    }
    return good ? EXIT_OK : command_failed(fault);
}

/* Points into origin. */
static const char *host_of(const char *origin)
{
    const char *scheme_end = strstr(origin, "://");

    return scheme_end == NULL ? origin : scheme_end + strlen("://");
}

static int run(const struct options *options, struct fault *fault)
{
    AUTO(cluster_close) struct cluster cluster = {0};
    AUTO(election_close) struct election election = {0};
    AUTO(audit_closep) struct audit *audit = NULL;
    AUTO(crypto_freep) struct crypto *crypto = NULL;
    AUTO(footprint_freep) struct footprint *footprint = NULL;
    AUTO(crash_log_closep) struct crash_log *crashes = NULL;
    struct manager_options manager_options = {0};
    struct audit_options audit_options = {0};
    struct loop_ports ports = {.clock = clock_system(), .databases = db_factory_real()};
    struct cancel stop;
    char host[256] = "tablesync";
    enum lg_level level = LG_INFO;
    bool good = false;
    int status = EXIT_FAILED;

    (void)gethostname(host, sizeof(host) - 1);
    manager_options.loop.instance = options->values[OPTION_INSTANCE] != NULL
                                        ? options->values[OPTION_INSTANCE]
                                        : host;
    if (!read_options(options, &manager_options, &audit_options, &level, fault) ||
        !read_initial_sync(options, &manager_options, fault) ||
        !load_keys(options, &crypto, fault) || !cluster_open(options, &cluster, fault) ||
        !read_namespaces(options, &cluster, &manager_options, fault)) {
        return command_failed(fault);
    }
    ports.lg = lg_new(STDERR_FILENO, level, ports.clock);
    if (!election_open(options, &cluster, manager_options.loop.instance, ports.lg,
                       &election, fault) ||
        !audit_open(&audit_options, ports.clock, &audit, fault) ||
        !cancel_init_root(&stop, ports.clock, fault)) {
        lg_free(ports.lg);
        return command_failed(fault);
    }
    ports.kube = cluster.transport;
    manager_options.api_host = host_of(cluster.config.origin);
    ports.audit = audit;
    ports.crypto = crypto;
    crashes = open_crashes(&audit_options, ports.lg);
    ports.crashes = crashes;
    ports.seed = rng_seed_from_system();
    manager_options.leader = election.leader;
    if (election.leader != NULL) {
        ports.fence = leader_fence(election.leader);
    }
    begin(options, &cluster, &audit_options, &ports);
    footprint = footprint_new(); /* all is loaded, and no thread has begun */
    (void)footprint_trim(footprint);
    manager_options.footprint = footprint;
    good = install_signals(&stop, ports.lg, fault) &&
           manager_run(&ports, &manager_options, &stop, fault);
    audit_close(TAKE(audit)); /* the next leader may use the same file */
    status = end(good, &election, fault);
    /* Nobody is asked to write louder any more. */
    (void)signal(SIGUSR1, SIG_IGN);
    lg_free(ports.lg);
    cancel_deinit(&stop);
    return status;
}

int command_controller(const struct options *options)
{
    forbid_core_files();
    /* Many threads that hold little: one heap each would only keep freed pages apart. And
     * what is large comes and goes with sessions, Connector/C's stacks of 256 KiB above
     * all: left to itself, glibc would soon cut it out of the heap, and leave holes. */
    (void)mallopt(M_ARENA_MAX, 2);
    (void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    return with_libraries(options, run);
}
