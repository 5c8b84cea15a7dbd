# The Schedules that "stctl schedules apply mft-prod" makes, with the temporal CLI alone. The cluster was applied before.
# A look that still runs is not joined by another, and what was missed is not made up for.
temporal schedule create --schedule-id health/mft-prod --interval 5m --overlap-policy Skip --catchup-window 1m \
  --type checkHealth --task-queue st-orchestrator --workflow-id check-health/mft-prod --task-timeout 3s --input '{"cluster": "mft-prod"}' --notes 'one look at every node'
temporal schedule create --schedule-id ends/mft-prod --interval 24h --overlap-policy Skip --catchup-window 1m \
  --type checkEnds --task-queue st-orchestrator --workflow-id check-ends/mft-prod --task-timeout 3s --input '{"cluster": "mft-prod"}' --notes 'warns of certificates and licences that end'
