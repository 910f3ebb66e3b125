-- For the Prosody of ship.example: what lives at shore.example is reached through Longwire, not the Internet.
-- Give each component the secret that is in Longwire's component.secret. The name lets Prosody answer
-- for the component while the gateway is not running.

component_ports = { 5347 }
component_interfaces = { "127.0.0.1" }

Component "shore.example"
    name = "shore, over the radio"
    component_secret = "change me"

Component "conference.shore.example"
    name = "Rooms at shore, over the radio"
    component_secret = "change me"
