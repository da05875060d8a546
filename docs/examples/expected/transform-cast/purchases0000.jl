{"id":9007199254740993,"placed":"2026-12-31T18:30:00","paid":true,"total":"37.50","customer":{"name": "Ana Ñu", "email": "ana@example.com", "phone": "+34 600 100 200"},"lines":[{"sku":"P-15","count":2},{"sku":"T-1","count":10}]}
{"id":9007199254740994,"placed":"2027-01-01T09:05:00","paid":false,"total":"8.9","customer":{"name": "Bo", "email": "bo@example.com", "phone": null},"lines":[{"sku":"V-2","count":1}]}
{"id":9007199254740995,"placed":"2027-01-02T11:00:00","paid":true,"total":"0","customer":{"name": "Ana Ñu", "email": "ana@example.com"},"lines":[]}
