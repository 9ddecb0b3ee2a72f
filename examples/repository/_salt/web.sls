# What the build made is below _artifacts.
shop-program:
  file.managed:
    - name: /opt/shop/bin/shop
    - source: salt://_artifacts/build/shop
    - mode: '0755'
    - makedirs: true
