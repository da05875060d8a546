{"title":"COPPER PIPE 15 MM","sizes":["15"],"first_tag":"pipe"}
{"title":"BALL VALVE 1/2\"","sizes":["1/2"],"first_tag":"valve"}
{"title":"PLUNGER","sizes":[],"first_tag":null}
{"title":"SIPHON, CHROME","sizes":[],"first_tag":"drain"}
{"title":"SEALING TAPE","sizes":[],"first_tag":"seal"}
