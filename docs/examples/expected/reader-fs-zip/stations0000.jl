{"id":"N-01","name":"Øvre Kajen"}
{"id":"N-02","name":"Weir & Lock"}
{"id":"S-07","name":"Point Sable"}
