{% from "map.jinja" import shop with context %}

include:
  - common

shop-db-config:
  file.managed:
    - name: {{ shop.etc }}/db.conf
    - source: salt://db/files/db.conf.jinja
    - template: jinja
    - mode: '0640'
    - require:
      - file: shop-directories

shop-backup:
  file.managed:
    - name: {{ shop.bin }}/backup
    - source: salt://db/files/backup.sh
    - mode: '0755'
    - require:
      - file: shop-directories

shop-schema:
  file.recurse:
    - name: {{ shop.srv }}/schema
    - source: salt://db/files/schema
    - clean: true
    - dir_mode: '0755'
    - file_mode: '0644'
    - require:
      - file: shop-directories

# No database here: a migration is applied when it stands in the list, and each only once.
{%- for migration in shop.migrations %}

shop-migration-{{ migration }}:
  cmd.run:
    - name: cat schema/{{ migration }}.sql >> db.sql && echo {{ migration }} >> db.applied
    - cwd: {{ shop.srv }}
    - unless: grep -sqx {{ migration }} db.applied
    - require:
      - file: shop-schema
  {%- if not loop.first %}
      - cmd: shop-migration-{{ loop.previtem }}
  {%- endif %}
{%- endfor %}

shop-db-logrotate:
  file.managed:
    - name: {{ shop.etc }}/logrotate-db.conf
    - source: salt://db/files/logrotate.conf.jinja
    - template: jinja
    - mode: '0644'
    - require:
      - file: shop-directories
