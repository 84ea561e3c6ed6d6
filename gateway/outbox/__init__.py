"""The store on the gateway's disk: observations in, sealed batches out, deleted by receipt only."""
