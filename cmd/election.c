#include "cmd/election.h"

#include <stdio.h>
#include <string.h>

#define UUID_SIZE 37

/* RFC 9562, version 4. */
static char *uuid(char out[UUID_SIZE])
{
    uint64_t high = rng_seed_from_system(), low = rng_seed_from_system();

    high = (high & ~UINT64_C(0xf000)) | UINT64_C(0x4000);
    low = (low & ~(UINT64_C(3) << 62)) | (UINT64_C(2) << 62);
    (void)snprintf(out, UUID_SIZE, "%08llx-%04llx-%04llx-%04llx-%012llx",
                   (unsigned long long)(high >> 32),
                   (unsigned long long)(high >> 16 & 0xffff),
                   (unsigned long long)(high & 0xffff), (unsigned long long)(low >> 48),
                   (unsigned long long)(low & UINT64_C(0xffffffffffff)));
    return out;
}

static bool read_options(const struct options *options, const struct cluster *cluster,
                         struct leader_options *out, struct fault *fault)
{
    const char *namespace = options->values[OPTION_LEADER_NAMESPACE];

    out->name = options->values[OPTION_LEADER_ID];
    out->namespace = namespace != NULL ? namespace : cluster->config.namespace;
    return options_duration(options, OPTION_LEADER_LEASE, 1, &out->lease_ms, fault) &&
           options_duration(options, OPTION_LEADER_RENEW, 1, &out->renew_ms, fault) &&
           options_duration(options, OPTION_LEADER_RETRY, 1, &out->retry_ms, fault) &&
           leader_check(out, fault);
}

bool election_open(const struct options *options, const struct cluster *cluster,
                   const char *instance, struct lg *lg, struct election *out_election,
                   struct fault *fault)
{
    AUTO(election_close) struct election election = {0};
    struct leader_options leader = {0};
    char unique[UUID_SIZE];
    bool wanted = false;

    if (!options_switch(options, OPTION_LEADER_ELECT, &wanted, fault)) {
        return false;
    }
    if (!wanted) {
        return true;
    }
    leader.identity = arena_printf(cluster->arena, "%s_%s", instance, uuid(unique));
    if (!read_options(options, cluster, &leader, fault) ||
        !cluster_transport(cluster, "leader-election", &election.transport, fault)) {
        return false;
    }
    election.leader =
        leader_new(&leader, election.transport, clock_boot(), lg, rng_seed_from_system());
    *out_election = election;
    memset(&election, 0, sizeof(election));
    return true;
}

void election_close(struct election *election)
{
    leader_stop(election->leader);
    leader_free(election->leader);
    kube_transport_free(election->transport);
    memset(election, 0, sizeof(*election));
}
