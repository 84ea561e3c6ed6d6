"""What a device is told to be: device, site and hardware profiles, and their resolution into one effective config.

Profiles are YAML, validated by the models here; an unknown key is an error that names file, path and allowed values.
"""
