-- One Prosody for tests: loopback, everything below one temporary folder. @NAMES@ are filled in by tests/support/prosody.rs.
run_as_root = true
daemonize = false
pidfile = "@FOLDER@/prosody.pid"
data_path = "@FOLDER@/data"
ssl = { key = "@KEY@"; certificate = "@CERTIFICATE@" }
log = { { levels = { min = "debug" }, to = "file", filename = "@FOLDER@/server.log" } }

interfaces = { "127.0.0.1" }
local_interfaces = { "127.0.0.1" }
c2s_ports = { @C2S@ }
component_ports = { @COMPONENT@ }
component_interfaces = { "127.0.0.1" }

-- mod_limits is absent: its defaults throttle clients to 10 kB/s.
modules_enabled = {
  "disco"; "roster"; "saslauth"; "tls"; "blocklist"; "bookmarks"; "carbons"; "pep"; "private"; "smacks";
  "vcard4"; "vcard_legacy"; "csi_simple"; "ping"; "time"; "uptime"; "lastactivity"; "version"; "mam";
}
modules_disabled = { "s2s" }
authentication = "internal_plain"
storage = "internal"
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
archive_expires_after = "never"

VirtualHost "@DOMAIN@"

Component "conference.@DOMAIN@" "muc"
  modules_enabled = { "muc_mam" }
  restrict_room_creation = false
