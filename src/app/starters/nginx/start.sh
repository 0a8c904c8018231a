#!/bin/sh
nginx -c /project/site.conf
echo 'Save a change, then reload the preview.'
exec sh
