#!/bin/sh
echo 'go run . compiles and runs main.go. The first time takes longest.'
exec sh
