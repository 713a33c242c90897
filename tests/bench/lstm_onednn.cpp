// SPDX-License-Identifier: BSD-3-Clause
// oneDNN's times for what lstm.c measures, on one thread: the forward and the backward pass, with the reorders of
// weights that follow every update. Head and optimiser are left out; the gradient by the inputs is included, since
// oneDNN always computes it.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <dnnl.hpp>
#include <unordered_map>

using namespace dnnl;
using tag = memory::format_tag;
using arguments = std::unordered_map<int, memory>;

static double seconds(clockid_t clock)
{
    timespec time;
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

static memory::desc matrix(memory::dims sizes, tag layout)
{
    return memory::desc(std::move(sizes), memory::data_type::f32, layout);
}

class network
{
    memory::desc x, state, bias, y, any_x, any_h;
    engine cpu{engine::kind::cpu, 0};
    stream run{cpu};
    memory plain_x, plain_h;
    lstm_forward forward;
    lstm_backward backward;
    arguments in, back;
    memory::dim T, B, I, H;

    memory make(const memory::desc &desc)
    {
        memory made(desc, cpu);
        float *p = static_cast<float *>(made.get_data_handle());
        for (size_t i = 0; i < desc.get_size() / sizeof *p; i++)
            p[i] = static_cast<float>(i * 7919 % 1000) / 5000 - 0.1F;
        return made;
    }

    void clear(int argument)
    {
        float *p = static_cast<float *>(back[argument].get_data_handle());
        std::fill_n(p, back[argument].get_desc().get_size() / sizeof *p, 0.F);
    }

  public:
    network(memory::dim series, memory::dim hidden, memory::dim steps, memory::dim inputs)
        : x(matrix({steps, series, inputs}, tag::tnc)), state(matrix({1, 1, series, hidden}, tag::ldnc)),
          bias(matrix({1, 1, 4, hidden}, tag::ldgo)), y(matrix({steps, series, hidden}, tag::tnc)),
          any_x(matrix({1, 1, inputs, 4, hidden}, tag::any)), any_h(matrix({1, 1, hidden, 4, hidden}, tag::any)),
          T(steps), B(series), I(inputs), H(hidden)
    {
    }

    void prepare(bool training)
    {
        const auto direction = rnn_direction::unidirectional_left2right;
        const auto kind = training ? prop_kind::forward_training : prop_kind::forward_inference;
        lstm_forward::primitive_desc there({kind, direction, x, state, state, any_x, any_h, bias, y, state, state},
                                           cpu);
        plain_x = make(matrix({1, 1, I, 4, H}, tag::ldigo));
        plain_h = make(matrix({1, 1, H, 4, H}, tag::ldigo));
        in = {{DNNL_ARG_SRC_LAYER, make(x)},
              {DNNL_ARG_SRC_ITER, make(state)},
              {DNNL_ARG_SRC_ITER_C, make(state)},
              {DNNL_ARG_WEIGHTS_LAYER, make(there.weights_layer_desc())},
              {DNNL_ARG_WEIGHTS_ITER, make(there.weights_iter_desc())},
              {DNNL_ARG_BIAS, make(bias)},
              {DNNL_ARG_DST_LAYER, make(y)},
              {DNNL_ARG_DST_ITER, make(state)},
              {DNNL_ARG_DST_ITER_C, make(state)}};
        forward = lstm_forward(there);
        if (!training)
            return;
        in[DNNL_ARG_WORKSPACE] = memory(there.workspace_desc(), cpu);
        lstm_backward::primitive_desc again({prop_kind::backward,
                                             direction,
                                             x,
                                             state,
                                             state,
                                             any_x,
                                             any_h,
                                             bias,
                                             y,
                                             state,
                                             state,
                                             x,
                                             state,
                                             state,
                                             any_x,
                                             any_h,
                                             bias,
                                             y,
                                             state,
                                             state},
                                            cpu, there);
        back = in;
        back[DNNL_ARG_WEIGHTS_LAYER] = make(again.weights_layer_desc());
        back[DNNL_ARG_WEIGHTS_ITER] = make(again.weights_iter_desc());
        back[DNNL_ARG_DIFF_SRC_LAYER] = make(x);
        back[DNNL_ARG_DIFF_SRC_ITER] = make(state);
        back[DNNL_ARG_DIFF_SRC_ITER_C] = make(state);
        back[DNNL_ARG_DIFF_WEIGHTS_LAYER] = make(again.diff_weights_layer_desc());
        back[DNNL_ARG_DIFF_WEIGHTS_ITER] = make(again.diff_weights_iter_desc());
        back[DNNL_ARG_DIFF_BIAS] = make(bias);
        back[DNNL_ARG_DIFF_DST_LAYER] = make(y);
        back[DNNL_ARG_DIFF_DST_ITER] = make(state);
        back[DNNL_ARG_DIFF_DST_ITER_C] = make(state);
        backward = lstm_backward(again);
    }

    void step(bool training)
    {
        reorder(plain_x, in[DNNL_ARG_WEIGHTS_LAYER]).execute(run, plain_x, in[DNNL_ARG_WEIGHTS_LAYER]);
        reorder(plain_h, in[DNNL_ARG_WEIGHTS_ITER]).execute(run, plain_h, in[DNNL_ARG_WEIGHTS_ITER]);
        forward.execute(run, in);
        if (training) {
            reorder(plain_x, back[DNNL_ARG_WEIGHTS_LAYER]).execute(run, plain_x, back[DNNL_ARG_WEIGHTS_LAYER]);
            reorder(plain_h, back[DNNL_ARG_WEIGHTS_ITER]).execute(run, plain_h, back[DNNL_ARG_WEIGHTS_ITER]);
            clear(DNNL_ARG_DIFF_WEIGHTS_LAYER); /* oneDNN adds to them */
            clear(DNNL_ARG_DIFF_WEIGHTS_ITER);
            clear(DNNL_ARG_DIFF_BIAS);
            backward.execute(run, back);
        }
        run.wait();
    }
};

static void print_timing(const char *what, memory::dim series, memory::dim hidden, memory::dim inputs, bool training)
{
    network n(series, hidden, 100, inputs);
    n.prepare(training);
    double least = 1e9, start = seconds(CLOCK_MONOTONIC);
    for (int runs = 0; runs < 6 || seconds(CLOCK_MONOTONIC) - start < 1.5; runs++) {
        double before = seconds(CLOCK_THREAD_CPUTIME_ID);
        n.step(training);
        least = std::min(least, seconds(CLOCK_THREAD_CPUTIME_ID) - before);
    }
    printf("%s %ld %ld 100 %ld: %.3f ms\n", what, series, hidden, inputs, least * 1e3);
    fflush(stdout);
}

int main()
{
    const dnnl_version_t *version = dnnl_version();
    printf("oneDNN %d.%d.%d\n", version->major, version->minor, version->patch);
    print_timing("train", 96, 32, 1, true);
    print_timing("train", 96, 64, 16, true);
    print_timing("train", 1536, 32, 1, true);
    print_timing("train", 1536, 64, 16, true);
    print_timing("forecast", 58 * 256, 32, 1, false);
}
