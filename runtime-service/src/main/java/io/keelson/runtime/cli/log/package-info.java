/** Container logs in the format that CRI prescribes, read from their files. */
package io.keelson.runtime.cli.log;
