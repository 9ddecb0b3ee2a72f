# A state that changes nothing, to see a first deployment work. Replace it with your own
# states (https://docs.saltproject.io/en/latest/ref/states/all/).
#
# A file beside this one, app.conf, is salt://app.conf. What your build made and
# --artifact added is below salt://_artifacts.
hello from the first deployment:
  test.succeed_without_changes
