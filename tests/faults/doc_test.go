package faults_test

import _ "github.com/Shopify/toxiproxy/v2"
