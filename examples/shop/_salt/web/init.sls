{% from "map.jinja" import shop with context %}

include:
  - common

# What the build made: --artifact build/shop puts it at _artifacts/build/shop.
shop-program:
  file.managed:
    - name: {{ shop.bin }}/shop
    - source: salt://_artifacts/build/shop
    - mode: '0755'
    - require:
      - file: shop-directories

shop-healthcheck:
  file.managed:
    - name: {{ shop.bin }}/healthcheck
    - source: salt://web/files/healthcheck.sh
    - mode: '0755'
    - require:
      - file: shop-directories

shop-site-config:
  file.managed:
    - name: {{ shop.etc }}/site.conf
    - source: salt://web/files/site.conf.jinja
    - template: jinja
    - mode: '0644'
    - require:
      - file: shop-directories

# A configuration that the program refuses goes no further. The copy is what the program runs with.
shop-site-config-check:
  cmd.run:
    - name: '"{{ shop.bin }}/shop" check site.conf && cp site.conf site.conf.checked'
    - cwd: {{ shop.etc }}
    - unless: cmp -s site.conf site.conf.checked
    - require:
      - file: shop-program
      - file: shop-site-config

shop-site-enabled:
  file.symlink:
    - name: {{ shop.etc }}/enabled.conf
    - target: site.conf.checked
    - require:
      - cmd: shop-site-config-check

shop-front-page:
  file.managed:
    - name: {{ shop.srv }}/www/index.html
    - source: salt://web/files/index.html.jinja
    - template: jinja
    - mode: '0644'
    - makedirs: true
    - require:
      - file: shop-directories

shop-web-logrotate:
  file.managed:
    - name: {{ shop.etc }}/logrotate-web.conf
    - source: salt://web/files/logrotate.conf.jinja
    - template: jinja
    - mode: '0644'
    - require:
      - file: shop-directories

# Where a machine of its own would have service.running with watch, the example notes that it would reload.
shop-reload:
  cmd.run:
    - name: echo "reload {{ shop.host }}" >> reload.log
    - cwd: {{ shop.log }}
    - require:
      - file: shop-site-enabled
    - onchanges:
      - file: shop-program
      - cmd: shop-site-config-check
