#!/bin/sh
# BusyBox's web server shows the folder "site" at port 8080.
httpd -p 8080 -h site
echo 'Save a change, then reload the preview.'
exec sh
