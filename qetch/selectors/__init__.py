"""The languages that read an answer: regex, JMESPath, CSS and XPath. Each library has one module here."""
