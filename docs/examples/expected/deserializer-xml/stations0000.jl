{"@id":"N-01","name":"Øvre Kajen","depth":{"@unit":"m","#text":"12.5"},"tag":["tide","wind"]}
{"@id":"N-02","name":"Weir & Lock","depth":{"@unit":"m","#text":"3"},"tag":["flow"]}
{"@id":"S-07","name":"Point Sable","depth":null}
