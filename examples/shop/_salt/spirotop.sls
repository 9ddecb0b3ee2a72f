# Deployment, then who gets what. The server makes the top file of a deployment from its part.
prod:
  'web*':
    - web
  'db*':
    - db

staging:
  'staging*':
    - web
    - db
