"""What is in deploy/ and the files beside it, checked by the tools they are for; nothing is started."""
