{% from "map.jinja" import shop with context %}

# What every machine of the shop has.

shop-directories:
  file.directory:
    - names:
      - {{ shop.bin }}
      - {{ shop.etc }}
      - {{ shop.log }}
      - {{ shop.srv }}
    - mode: '0755'
    - makedirs: true

shop-motd:
  file.managed:
    - name: {{ shop.etc }}/motd
    - source: salt://common/files/motd.jinja
    - template: jinja
    - mode: '0644'
    - require:
      - file: shop-directories
