package io.keelson.runtime.server;

import io.grpc.stub.StreamObserver;
import io.keelson.proto.node.v1.ListPluginsRequest;
import io.keelson.proto.node.v1.ListPluginsResponse;
import io.keelson.proto.node.v1.PluginServiceGrpc.PluginServiceImplBase;
import java.util.function.Supplier;

/** {@code keelson.node.v1.PluginService}: which plugins take part. */
public final class NodePluginService extends PluginServiceImplBase {

  private final Supplier<ListPluginsResponse> plugins;

  public NodePluginService(Supplier<ListPluginsResponse> plugins) {
    this.plugins = plugins;
  }

  @Override
  public void listPlugins(ListPluginsRequest request, StreamObserver<ListPluginsResponse> answers) {
    Answers.one(answers, plugins::get);
  }
}
