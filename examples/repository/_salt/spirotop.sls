# Deployment, then which minions get which states.
prod:
  'web*':
    - web
