# The top file: it says which states each deployment applies to which minions, as Salt's
# top.sls does (https://docs.saltproject.io/en/latest/ref/states/top.html).
#
#   DEPLOYMENT:
#     'MINION':
#       - SLS
#
# MINION is a minion's id, or a pattern such as 'web*'. A minion that is named by its id
# has to be there: the deployment fails if it does not answer.
prod:
  '*':
    - hello
