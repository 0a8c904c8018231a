#!/bin/sh
echo 'go run . compiles and runs main.go. The first time takes several minutes, because Go also compiles the'
echo 'parts of its library, whose names it prints. This container keeps them.'
export GOFLAGS=-v
exec sh
